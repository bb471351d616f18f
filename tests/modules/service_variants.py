"""The autoscaled variant of the ECS service, made from the fixed one: `./run golden` writes it.

Both must exist: an autoscaled service ignores changes of `desired_count`, and Terraform takes
`ignore_changes` only as a literal list (docs/adr/0003-fixed-and-autoscaled-services.md).
"""

from .plans import MODULES

FIXED = MODULES / "ecs_service/service_fixed.tf"
AUTOSCALED = MODULES / "ecs_service/service_autoscaled.tf"

_COMMENT = """\
# An autoscaled service: service_fixed.tf but for desired_count, written by `./run golden`.
"""
_DIFFERENCES = {
    'resource "aws_ecs_service" "fixed"': 'resource "aws_ecs_service" "autoscaled"',
    'var.autoscaling == null && local.runs_on ? toset(["this"]) : toset([])': (
        'var.autoscaling == null ? toset([]) : toset(["this"])'
    ),
    "var.desired_count": "var.autoscaling.min",
    "  lifecycle {\n": "  lifecycle {\n    ignore_changes = [desired_count]\n\n",
}


def autoscaled() -> str:
    """Return the text of the autoscaled variant.

    Raises:
        ValueError: The fixed variant does not contain exactly once what has to differ.
    """
    _, resource, body = FIXED.read_text(encoding="utf-8").partition("resource ")
    text = resource + body
    for fixed, replacement in _DIFFERENCES.items():
        if text.count(fixed) != 1:
            raise ValueError(f"{FIXED.name} contains {text.count(fixed)} times: {fixed.strip()}")
        text = text.replace(fixed, replacement)
    return _COMMENT + text
