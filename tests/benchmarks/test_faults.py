"""What the benchmark of faults and kills tells."""

from dataclasses import replace

from benchmarks.faults import HEADINGS, line
from tests.faults.trials import Trial

SOUND = Trial(
    seed=7,
    what="Ctrl-C: 3 made and 0.1 s",
    code=130,
    recovered=True,
    lost=(),
    orphans=(),
    explained={},
    left=(),
    seconds=61.4,
    output="",
)


def test_a_sound_trial_is_a_line() -> None:
    assert f"{HEADINGS}\n{line('kill', SOUND)}" == (
        "trial  seed  seconds  code  result  what\nkill      7       61   130  sound   Ctrl-C: 3 made and"
        " 0.1 s"
    )


def test_an_orphan_with_a_known_cause_is_reported_as_harmless() -> None:
    trial = replace(
        SOUND, orphans=("aws_ecs_task_definition a:1",), explained={"aws_ecs_task_definition a:1": "known"}
    )
    assert trial.sound
    assert line("kill", trial).splitlines()[1:] == ["       aws_ecs_task_definition a:1: known"]


def test_what_is_lost_left_or_not_known_is_wrong() -> None:
    wrong = [
        replace(SOUND, orphans=("aws_vpc vpc-1",)),
        replace(SOUND, lost=("aws_vpc vpc-1",)),
        replace(SOUND, left=("x.tfplan",)),
        replace(SOUND, recovered=False),
    ]
    assert [line("kill", trial).split("WRONG   ")[1] for trial in wrong] == [
        "Ctrl-C: 3 made and 0.1 s\n       aws_vpc vpc-1: NOT IN ANY STATE",
        "Ctrl-C: 3 made and 0.1 s\n       aws_vpc vpc-1: IN A STATE, AND MISSING",
        "Ctrl-C: 3 made and 0.1 s\n       x.tfplan: LEFT BEHIND",
        "Ctrl-C: 3 made and 0.1 s\n       THE NEXT APPLY FAILED, OR LEFT DRIFT",
    ]
