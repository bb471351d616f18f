"""Resources that an apply could not create, from Terraform's output."""

import pytest

from fleetform.terraform.recovery.already_exists import existing_resources, refused_resources

GROUP = 'module.network.aws_cloudwatch_log_group.flow_logs["this"]'
RULE = 'module.security.aws_vpc_security_group_ingress_rule.this["web -> orders"]'


def error(message: str, address: str = GROUP) -> str:
    """Format an error as Terraform prints it to a file."""
    return f'\nError: {message}\n\n  with {address},\n  on main.tf line 3, in resource "x" "y":\n'


# Recorded from applies to the emulator: CloudWatch Logs, network ACLs and S3. The others have the error codes
# of the AWS API references.
@pytest.mark.parametrize(
    "message",
    [
        "ResourceAlreadyExistsException: The specified log group already exists",
        "api error NetworkAclEntryAlreadyExists: The network acl entry identified by 100 already exists.",
        "EntityAlreadyExists: Role with name shop-web-task",
        "RepositoryAlreadyExistsException: The repository",
        "BucketAlreadyOwnedByYou: ",
        "BucketAlreadyExists: ",
        "ServiceAlreadyExists: ",
        "NamespaceAlreadyExists: ",
        "ConflictingDomainExists: vpc-1",
        "DuplicateRequest: ",
        "api error InvalidPermission.Duplicate: the specified rule",
        "DuplicateListener: A listener",
        "DuplicateTargetGroupName: ",
        "PriorityInUse: Priority '1' is currently in use",
        "api error InvalidSubnet.Conflict: The CIDR '10.0.0.0/24' conflicts with another subnet",
        "api error Resource.AlreadyAssociated: the specified association",
        "InvalidParameterException: Creation of service was not idempotent.",
        "ConflictException: Schedule shop-report already\nexists.",
    ],
)
def test_the_error_code_of_every_aws_service_is_known(message: str) -> None:
    assert existing_resources(error(f"creating it: operation error: {message}")) == {GROUP}


def test_errors_with_other_codes_are_ignored() -> None:
    output = (
        error("api error AccessDenied: no", "aws_iam_role.a")
        + error("EntityAlreadyExists: it", "aws_iam_role.b")
        + "\nError: EntityAlreadyExists: of no resource\n"
        + error("the disk is full", "aws_iam_role.c")
        + "\nWarning: it is deprecated\n\n  with aws_iam_role.d,\n  on main.tf line 9\n"
        + error("creating VPC Security Group Rule", RULE)
        + "\noperation error EC2: AuthorizeSecurityGroupIngress, api error\nInvalidPermission.Duplicate:"
        " The rule\n"
        + error("creating VPC Security Group Rule", "aws_vpc_security_group_egress_rule.e")
        + "\noperation error EC2: AuthorizeSecurityGroupEgress, api error AccessDenied: no\n"
    )
    assert existing_resources(output) == {"aws_iam_role.b", RULE}


def test_output_without_errors_has_no_existing_resources() -> None:
    assert existing_resources(f"{GROUP}: Creation complete after 0s [id=already exists]\n") == frozenset()


def test_an_error_in_a_colored_box_is_read() -> None:
    lines = error("EntityAlreadyExists: it").strip("\n").splitlines()
    boxed = "\n".join(f"\x1b[31m│\x1b[0m \x1b[0m{line}" for line in lines)
    assert existing_resources(f"\x1b[31m╷\x1b[0m\n{boxed}\n\x1b[31m╵\x1b[0m\n") == {GROUP}


def test_only_a_4xx_response_is_a_refusal() -> None:
    answer = "operation error EC2: AuthorizeSecurityGroupIngress, https response error StatusCode:"
    output = (
        error(f"creating it: {answer} 403, RequestID: 1, api error AccessDenied: no", "aws_iam_role.refused")
        + error(f"creating it: {answer} 409, RequestID: 1, EntityAlreadyExists: it", "aws_iam_role.there")
        + error(
            f"creating it: {answer} 0, RequestID: , canceled, context canceled", "aws_iam_role.taken_back"
        )
        + error(f"creating it: {answer} 503, RequestID: 1, api error Unavailable: no", "aws_iam_role.lost")
        + error("creating VPC Security Group Rule", RULE)
        + f"\n{answer}\n400, RequestID: 1, api error InvalidParameterValue: no\n"
        + error("creating VPC Security Group Rule", "aws_vpc_security_group_egress_rule.taken_back")
        + f"\n{answer}\n0, RequestID: , canceled, context canceled\n"
    )
    assert refused_resources(output) == {"aws_iam_role.refused", RULE}
