"""What Terraform prints when it fails, told in a line; failures/README.md says where the outputs are from."""

import textwrap
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.terraform.failures import explain, lacks_outputs, translate_failures
from tests.generated import Generated

OUTPUTS = sorted((Path(__file__).parent / "failures").glob("*.txt"))

recorded = pytest.mark.parametrize("output", OUTPUTS, ids=lambda path: path.stem)


def boxed(text: str) -> str:
    """As a terminal shows it: coloured, in a box, wrapped elsewhere."""
    lines = [
        part
        for line in text.splitlines()
        for part in (textwrap.wrap(line, 60, break_long_words=False, break_on_hyphens=False) or [""])
    ]
    return "\n".join(["\x1b[31m╷\x1b[0m", *(f"\x1b[31m│\x1b[0m \x1b[0m{line}" for line in lines), "\x1b[31m╵\x1b[0m"])


def told(output: Path) -> str:
    return output.with_suffix(".told").read_text(encoding="utf-8").rstrip("\n")


@recorded
def test_a_failure_is_told_in_a_line_with_a_remedy(output: Path, generated: Generated) -> None:
    generated.check(output.with_suffix(".told"), f"{explain(output.read_text(encoding='utf-8'), 'dev')}\n")


@recorded
def test_colours_boxes_and_the_width_of_the_terminal_change_nothing(output: Path) -> None:
    assert explain(boxed(output.read_text(encoding="utf-8")), "dev") == told(output)


def test_what_is_not_known_is_not_explained() -> None:
    assert explain("Error: creating ECS Service (web): InvalidParameterException: no\n", "dev") is None


def test_a_lock_whose_holder_was_gone_when_asked_is_told_too() -> None:
    output = "Error: Error acquiring the state lock\n\nError message: api error PreconditionFailed: no\n"
    assert explain(output, "dev") == (
        "the state is locked by another, unknown run; wait for it with `--wait MINUTES`, or check whether it is alive:"
        " `invoke state-doctor --env dev`"
    )


@pytest.mark.parametrize(
    "code",
    ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "RequestThrottled"],
)
def test_throttling_has_many_names(code: str) -> None:
    output = f"operation error IAM: GetRole, https response error StatusCode: 503, RequestID: 1, api error {code}: no"
    assert explain(output, "dev") == (
        "AWS throttles requests of this account (IAM: GetRole); wait a minute,"
        " then run it again; the state has what was done"
    )


def test_a_permission_that_is_missing_may_be_of_no_resource() -> None:
    output = "User: arn:aws:iam::123456789012:user/mia is not authorized to perform: iam:ListRoles because no policy\n"
    assert explain(output, "dev") == (
        "AWS does not allow arn:aws:iam::123456789012:user/mia to do iam:ListRoles on *; change the policies,"
        " then run it again; the state has what was done"
    )


@pytest.mark.parametrize(
    "output",
    [
        "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: expired",
        "The SSO session associated with this profile has expired or is otherwise invalid.",
        "Error loading SSO Token: Token for shop does not exist",
        "Error when retrieving token from sso: Token has expired and refresh failed",
        "Error: refresh cached SSO token failed, unable to refresh SSO token",
    ],
)
def test_credentials_expire_in_many_words(output: str) -> None:
    assert explain(output, "dev") == (
        "the AWS credentials have expired; sign in again, for example with `aws sso login`, or get new ones"
    )


MISSING = """Error: Unsupported attribute

  on service_web.tf line 11, in module "web":
  11:   cluster_arn = local.foundation.cluster_arn

This object does not have an attribute named "cluster_arn".
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (MISSING, True),
        (boxed(MISSING), True),
        (MISSING + '      + description = "Error: Invalid value"\n' + MISSING, True),
        (f"{MISSING}\nError: creating ECS Service (web): no\n", False),
        (MISSING.replace("local.foundation", "local.images"), False),
        ("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.\n", False),
    ],
    ids=["missing", "in a box", "after a value", "and more", "another index", "no error"],
)
def test_a_plan_lacks_outputs_if_nothing_else_is_wrong(output: str, expected: bool) -> None:  # noqa: FBT001
    assert lacks_outputs(output) is expected


def test_the_explanation_stands_before_the_message() -> None:
    with pytest.raises(ProgramError) as caught, translate_failures("dev"):
        raise ProgramError("`terraform apply` ended with exit code 1", "Error: Saved plan is stale\n")
    assert str(caught.value) == (
        "the state has changed since the plan was made, so nothing was applied; plan again and review the new plan\n"
        "`terraform apply` ended with exit code 1"
    )
    assert caught.value.output == "Error: Saved plan is stale\n"


def test_the_message_alone_remains_of_what_is_not_known() -> None:
    error = ProgramError("`terraform apply` ended with exit code 1", "Error: no\n")
    with pytest.raises(ProgramError) as caught, translate_failures("dev"):
        raise error
    assert caught.value is error
