"""EC2 instances."""

from collections.abc import Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.policy.helpers.statements import as_list
from fleetform.policy.requirements import require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule


@rule(
    "FF096",
    "Instances require IMDSv2.",
    *("aws_instance", "aws_launch_configuration", "aws_launch_template"),
    severity=Severity.MEDIUM,
    why="With IMDSv1, one forged request through a service returns the credentials of the instance's role.",
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
    checkov=("CKV_AWS_79",),
    good='resource "aws_launch_template" "ecs" {\n  metadata_options {\n    http_tokens = "required"\n '
    " }\n}\n",
    bad='resource "aws_launch_template" "ecs" {\n  image_id = "ami-0123456789abcdef0"\n}\n',
)
def imdsv2_is_required(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """The default depends on image and account; instances with a launch template have its setting."""
    options = as_list(resource.value("metadata_options"))
    if resource.value("metadata_options", 0, "http_endpoint") == "disabled":
        return
    if not options and resource.type == "aws_instance" and as_list(resource.value("launch_template")):
        return
    violation = Violation("IMDSv1 may be enabled", 'set metadata_options.http_tokens = "required"')
    violation = violation._replace(at=("metadata_options", 0, "http_tokens"))
    yield from require(resource, ("required",), violation, default="optional")
