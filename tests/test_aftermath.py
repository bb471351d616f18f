"""What the next run does about one that was killed, with an emulator of its own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleetform import emulator
from fleetform.terraform import locks, state
from fleetform.turns import Turn
from fleetform.workflow import aftermath, states, workplaces
from fleetform.workflow.workplaces import Workplace
from tests import small_project

BEFORE = Turn("invoke apply --env local", 4711, "2026-01-31 12:00:00")
HEADLINE = f"{BEFORE} left foundation locked: its Terraform was killed"
QUEUE = "module.extra.aws_sqs_queue.orders"
GATEWAY = 'module.network.aws_nat_gateway.this["a"]'
LOG = """\
module.network.aws_vpc.this: Creating...
module.network.aws_nat_gateway.this["a"]: Creating...
module.extra.aws_sqs_queue.orders: Creation complete after 0s [id=orders]
module.network.aws_vpc.this: Creation complete after 12s [id=vpc-1]
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """An environment with a bucket, and the log of an apply."""
    project = small_project.make(tmp_path_factory.mktemp("killed"))
    workplace = workplaces.open_environment(project, "local")
    states.bootstrap(workplace)
    log = workplace.log_of("foundation", "apply")
    log.parent.mkdir()
    log.write_text(LOG, encoding="utf-8")
    yield workplace
    emulator.stop(project.work)


@pytest.fixture
def workplace(opened: Workplace) -> Iterator[Workplace]:
    """The same, with nothing locked or lost in the end."""
    yield opened
    opened.lost("foundation").unlink(missing_ok=True)
    state.release(opened.access, opened.environment.state_bucket, "foundation")


def hold(workplace: Workplace, operation: str = "OperationTypeApply", who: str = "", late: int = 60) -> None:
    """Locks the foundation, some seconds after the run before began."""
    created = datetime.fromisoformat(BEFORE.since).replace(tzinfo=UTC) + timedelta(seconds=late)
    held = {
        "ID": "7a1c",
        "Operation": operation,
        "Who": who or locks.this_machine().who,
        "Version": "1.11.4",
        "Created": created.isoformat(),
    }
    s3 = workplace.access.client("s3")
    key = state.lock_key("foundation")
    s3.put_object(Bucket=workplace.environment.state_bucket, Key=key, Body=json.dumps(held).encode())


def settled(workplace: Workplace) -> list[str]:
    """What is told."""
    told = list[str]()
    aftermath.settle(workplace, BEFORE, told.append)
    return told


def locked(workplace: Workplace) -> bool:
    """Whether the foundation is."""
    return state.lock_key("foundation") in (state.objects(workplace.access, workplace.environment.state_bucket) or {})


def test_without_a_lock_there_is_nothing_to_do(workplace: Workplace) -> None:
    assert settled(workplace) == []
    assert not workplace.lost("foundation").exists()


def test_on_the_emulator_a_lock_is_removed_and_what_was_made_is_kept_for_the_next_plan(workplace: Workplace) -> None:
    hold(workplace)
    assert settled(workplace) == [
        HEADLINE,
        "foundation: made without a state of it that was saved: module.network.aws_vpc.this; the next apply imports it",
        f"foundation: {QUEUE} was made as orders, and no state of it was saved: import it, or delete it",
        f"foundation: had begun, and may be there although no state has it: {GATEWAY}",
    ]
    assert json.loads(workplace.lost("foundation").read_text(encoding="utf-8")) == {
        "module.network.aws_vpc.this": "vpc-1"
    }
    assert not locked(workplace)


def test_a_plan_that_was_killed_has_made_nothing(workplace: Workplace) -> None:
    hold(workplace, "OperationTypePlan")
    assert settled(workplace) == [HEADLINE]
    assert not workplace.lost("foundation").exists()
    assert not locked(workplace)


@pytest.mark.parametrize(("who", "late"), [("ann@elsewhere", 60), ("", -60)])
def test_on_aws_a_lock_of_somebody_else_is_none_of_ours(workplace: Workplace, who: str, late: int) -> None:
    hold(workplace, who=who, late=late)
    on_aws = replace(workplace, environment=workplace.environment.model_copy(update={"emulator": False}))
    assert settled(on_aws) == []
    assert locked(workplace)


def test_on_aws_a_lock_of_ours_stays_and_what_was_made_is_kept_all_the_same(workplace: Workplace) -> None:
    hold(workplace)
    on_aws = replace(workplace, environment=workplace.environment.model_copy(update={"emulator": False}))
    told = settled(on_aws)
    assert (told[0], told[-1]) == (
        HEADLINE,
        "foundation: `invoke state-doctor --env local` says whether the lock can be removed, and how",
    )
    assert workplace.lost("foundation").exists()
    assert locked(workplace)
