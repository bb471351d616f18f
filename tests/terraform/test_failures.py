"""Explanations of Terraform's failures; failures/README.md has the sources of the outputs."""

import textwrap
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.terraform.failures import explain, lacks_outputs, translate_failures
from tests.generated import Generated

OUTPUTS = sorted((Path(__file__).parent / "failures").glob("*.txt"))

recorded = pytest.mark.parametrize("output", OUTPUTS, ids=lambda path: path.stem)


def boxed(text: str) -> str:
    """Format a text as in a terminal: colored, in a box, wrapped at a different width."""
    lines = [
        part
        for line in text.splitlines()
        for part in (textwrap.wrap(line, 60, break_long_words=False, break_on_hyphens=False) or [""])
    ]
    return "\n".join(
        ["\x1b[31m╷\x1b[0m", *(f"\x1b[31m│\x1b[0m \x1b[0m{line}" for line in lines), "\x1b[31m╵\x1b[0m"]
    )


def expected_explanation(output: Path) -> str:
    return output.with_suffix(".expected").read_text(encoding="utf-8").rstrip("\n")


@recorded
def test_a_failure_is_explained_in_one_line_with_a_remedy(output: Path, generated: Generated) -> None:
    generated.check(
        output.with_suffix(".expected"), f"{explain(output.read_text(encoding='utf-8'), 'dev')}\n"
    )


@recorded
def test_colors_boxes_and_terminal_width_do_not_matter(output: Path) -> None:
    assert explain(boxed(output.read_text(encoding="utf-8")), "dev") == expected_explanation(output)


def test_an_unknown_failure_is_not_explained() -> None:
    assert explain("Error: creating ECS Service (web): InvalidParameterException: no\n", "dev") is None


def test_a_lock_without_a_known_holder_is_explained() -> None:
    output = "Error: Error acquiring the state lock\n\nError message: api error PreconditionFailed: no\n"
    assert explain(output, "dev") == (
        "the state is locked by another, unknown run; wait for it with `--wait MINUTES`, or check whether"
        " it is alive:"
        " `invoke state-doctor --env dev`"
    )


@pytest.mark.parametrize(
    "code",
    [
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
    ],
)
def test_every_throttling_code_is_known(code: str) -> None:
    output = (
        "operation error IAM: GetRole, https response error StatusCode: 503, RequestID: 1, api error"
        f" {code}: no"
    )
    assert explain(output, "dev") == (
        "AWS throttles requests of this account (IAM: GetRole); wait a minute,"
        " then run it again; the state has what was done"
    )


def test_a_missing_permission_may_have_no_resource() -> None:
    output = (
        "User: arn:aws:iam::123456789012:user/mia is not authorized to perform: iam:ListRoles because"
        " no policy\n"
    )
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
def test_every_message_about_expired_credentials_is_known(output: str) -> None:
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
    ids=["missing", "in a box", "after a value", "a second error", "a different index", "no error"],
)
def test_a_plan_without_a_different_error_lacks_outputs(output: str, expected: bool) -> None:  # noqa: FBT001
    assert lacks_outputs(output) is expected


def test_the_explanation_is_before_the_message() -> None:
    with pytest.raises(ProgramError) as caught, translate_failures("dev"):
        raise ProgramError("`terraform apply` ended with exit code 1", "Error: Saved plan is stale\n")
    assert str(caught.value) == (
        "the state has changed since the plan was made, so nothing was applied; plan again and review the"
        " new plan\n"
        "`terraform apply` ended with exit code 1"
    )
    assert caught.value.output == "Error: Saved plan is stale\n"


def test_an_unknown_failure_keeps_its_message() -> None:
    error = ProgramError("`terraform apply` ended with exit code 1", "Error: no\n")
    with pytest.raises(ProgramError) as caught, translate_failures("dev"):
        raise error
    assert caught.value is error
