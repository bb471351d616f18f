from tests.generated import Generated

from . import service_variants
from .plans import MODULES


def test_the_autoscaled_service_is_made_from_the_fixed_one(generated: Generated) -> None:
    """The variants differ in the number of tasks and in who owns it."""
    generated.check(service_variants.AUTOSCALED, service_variants.autoscaled())


def test_variants_of_the_target_differ_in_the_owner_of_the_bounds() -> None:
    """A target whose bounds a schedule sets is the same as any other but for ignoring them."""
    text = (MODULES / "ecs_service/autoscaling.tf").read_text(encoding="utf-8")
    this, scheduled = text.split('\nresource "aws_appautoscaling_target" ')[1:]
    ignoring = """
    # Scheduled actions set them.
    ignore_changes = [max_capacity, min_capacity]
  }
}
"""
    expected = (
        this.removesuffix("  }\n}\n")
        .replace('"this"', '"scheduled"', 1)
        .replace("== 0 ? aws_ecs_service.autoscaled : {}", "== 0 ? {} : aws_ecs_service.autoscaled")
    )
    assert scheduled.startswith(expected + ignoring)
