from .plans import MODULES


def test_variants_differ_in_desired_count_alone() -> None:
    """The fixed and the autoscaled service are the same but for the number of tasks and who owns it."""
    text = (MODULES / "ecs_service/service.tf").read_text(encoding="utf-8")
    _, fixed, autoscaled = text.split('\nresource "aws_ecs_service" ')
    assert autoscaled.splitlines() == (
        fixed.replace('"fixed"', '"autoscaled"')
        .replace(' && local.runs_on ? toset(["this"]) : toset([])', ' ? toset([]) : toset(["this"])')
        .replace("var.desired_count", "var.autoscaling.min")
        .replace("  lifecycle {\n", "  lifecycle {\n    ignore_changes = [desired_count]\n\n")
        .splitlines()
    )


def test_variants_of_the_target_differ_in_who_owns_the_bounds() -> None:
    """A target whose bounds a schedule sets is the same as any other but for ignoring them."""
    text = (MODULES / "ecs_service/autoscaling.tf").read_text(encoding="utf-8")
    this, scheduled = text.split('\nresource "aws_appautoscaling_target" ')[1:]
    ignoring = """
  lifecycle {
    # A scheduled action sets them.
    ignore_changes = [max_capacity, min_capacity]
  }
}
"""
    expected = (
        this.removesuffix("}\n")
        .replace('"this"', '"scheduled"', 1)
        .replace("== 0 ? aws_ecs_service.autoscaled : {}", "== 0 ? {} : aws_ecs_service.autoscaled")
    )
    assert scheduled.startswith(expected + ignoring)
