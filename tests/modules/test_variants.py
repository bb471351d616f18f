from .plans import MODULES


def test_variants_differ_in_desired_count_alone() -> None:
    """The fixed and the autoscaled service are the same but for the number of tasks and who owns it."""
    text = (MODULES / "ecs_service/service.tf").read_text(encoding="utf-8")
    _, fixed, autoscaled = text.split('\nresource "aws_ecs_service" ')
    assert autoscaled.splitlines() == (
        fixed.replace('"fixed"', '"autoscaled"')
        .replace('toset(["this"]) : toset([])', 'toset([]) : toset(["this"])')
        .replace("var.desired_count", "var.autoscaling.min")
        .replace("  lifecycle {\n", "  lifecycle {\n    ignore_changes = [desired_count]\n\n")
        .splitlines()
    )
