"""Nobody gets more than is listed, and nothing gets all there is unless AWS has nothing narrower."""

import re
from pathlib import Path

import pytest

from tests.generated import Generated

from .permissions import Permission, permissions
from .plans import Resources

# Actions that AWS allows on everything or not at all, and the page that says so: no resource type beside the
# action.
_REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_{}.html"
ON_EVERYTHING = {
    "ecr:GetAuthorizationToken": _REFERENCE.format("amazonelasticcontainerregistry"),
    "ssmmessages:CreateControlChannel": _REFERENCE.format("amazonsessionmanagermessagegatewayservice"),
    "ssmmessages:CreateDataChannel": _REFERENCE.format("amazonsessionmanagermessagegatewayservice"),
    "ssmmessages:OpenControlChannel": _REFERENCE.format("amazonsessionmanagermessagegatewayservice"),
    "ssmmessages:OpenDataChannel": _REFERENCE.format("amazonsessionmanagermessagegatewayservice"),
}

# Resources that are named so and grant no access.
_NO_ACCESS = frozenset({"aws_appautoscaling_policy", "aws_ecr_lifecycle_policy"})


@pytest.fixture(scope="module")
def granted(planned: dict[str, Resources]) -> set[Permission]:
    """What any policy in any module says."""
    return {permission for resources in planned.values() for permission in permissions(resources)}


def test_all_permissions(granted: set[Permission], generated: Generated) -> None:
    """Every action, resource and condition of every role and resource policy is in the list."""
    listed = "".join(f"{permission}\n" for permission in sorted(granted))
    generated.check(Path(__file__).parent / "permissions.txt", listed)


def test_no_policy_is_hidden(planned: dict[str, Resources]) -> None:
    """Each policy is known when the plan is made, and so is in the list."""
    hidden = [
        f"{call}.{address}"
        for call, resources in planned.items()
        for address, values in resources.items()
        if re.search(r"_policy$|^aws_iam_role$", kind := address.partition(".")[0]) and kind not in _NO_ACCESS
        if not list(permissions({address: values}))
    ]
    assert hidden == []


def test_managed_policies(planned: dict[str, Resources]) -> None:
    """No role has a policy of AWS's or of the account's but those that its service asked for."""
    in_roles = {
        key
        for resources in planned.values()
        for address, values in resources.items()
        if address.startswith("aws_iam_role.")
        for key in values.keys() & {"inline_policy", "managed_policy_arns"}
    }
    attached = {
        (call, values["role"], values["policy_arn"])
        for call, resources in planned.items()
        for address, values in resources.items()
        if "policy_attachment" in address
    }
    assert in_roles == set()
    assert attached == {("full", "shop-dev-shop-task", "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess")}


def test_on_everything(granted: set[Permission]) -> None:
    """Only actions for which AWS knows no resource are allowed on all."""
    on_everything = {
        permission.action
        for permission in granted
        if (permission.effect, permission.resource) == ("Allow", "*")
    }
    assert on_everything == set(ON_EVERYTHING)


def test_no_action_is_a_pattern(granted: set[Permission]) -> None:
    """What is allowed is allowed by name."""
    assert [
        permission for permission in granted if permission.effect == "Allow" and "*" in permission.action
    ] == []


def test_no_permission_is_granted_to_everybody(granted: set[Permission]) -> None:
    """Every permission names its principals."""
    assert [
        permission for permission in granted if permission.effect == "Allow" and "*" in permission.principal
    ] == []


def test_services_act_only_for_this_account(granted: set[Permission]) -> None:
    """A service of AWS acts only for this account: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html."""
    for_anybody = [
        permission
        for permission in granted
        if permission.effect == "Allow" and permission.principal.startswith("Service ")
        if "StringEquals aws:SourceAccount 123456789012" not in permission.conditions
        and "/AWSLogs/123456789012/" not in permission.resource
    ]
    assert for_anybody == []
