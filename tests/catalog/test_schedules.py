import pytest
from pydantic import TypeAdapter, ValidationError

from fleetform.catalog.types import ScheduleExpression

EXPRESSION: TypeAdapter[str] = TypeAdapter(ScheduleExpression)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(1 hour)",
        "rate(15 minutes)",
        "rate(7 days)",
        "at(2030-01-31T03:00:00)",
        "cron(0 3 * * ? *)",
        "cron(0/15 8-18 ? * MON-FRI *)",
        "cron(0 0 1,15 * ? *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 15W JAN-MAR ? 2030-2035)",
        "cron(0 0 LW * ? *)",
        "cron(0 0 ? * 2#1 *)",
        "cron(0 0 ? 1/3 FRIL *)",
        "cron(*/5 * * * ? *)",
    ],
)
def test_an_eventbridge_expression_is_accepted(expression: str) -> None:
    assert EXPRESSION.validate_python(expression) == expression


KINDS = "expected cron(0 3 * * ? *), rate(5 minutes), rate(1 hour) or at(2030-01-31T03:00:00)"
SIX = "cron has six fields: minutes, hours, day of the month, month, day of the week, year"
ONE = "write ? for either the day of the month or the day of the week"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", KINDS),
        ("hourly", KINDS),
        ("rate(1 hours)", KINDS),
        ("rate(2 hour)", KINDS),
        ("rate(0 minutes)", KINDS),
        ("rate(5 weeks)", KINDS),
        ("at(2030-01-31)", KINDS),
        ("0 3 * * *", KINDS),
        ("cron(0 3 * * *)", SIX),
        ("cron(0  3 * * ? *)", SIX),
        ("cron(0 3 * * * *)", ONE),
        ("cron(0 3 ? * ? *)", ONE),
        (
            "cron(60 3 * * ? *)",
            "`60` is not valid for minutes in cron: expected 0 to 59, *, lists, ranges and steps",
        ),
        (
            "cron(0 24 * * ? *)",
            "`24` is not valid for hours in cron: expected 0 to 23, *, lists, ranges and steps",
        ),
        (
            "cron(0 3 0 * ? *)",
            "`0` is not valid for day of the month in cron: expected 1 to 31, *, lists, ranges and steps",
        ),
        (
            "cron(0 3 * 13 ? *)",
            "`13` is not valid for month in cron: expected 1 to 12 or JAN to DEC, *, lists, ranges and steps",
        ),
        (
            "cron(0 3 ? * MONDAY *)",
            (
                "`MONDAY` is not valid for day of the week in cron: expected 1 to 7 or SUN to SAT, *, lists, "
                "ranges and steps"
            ),
        ),
        (
            "cron(0 3 * * ? 1969)",
            "`1969` is not valid for year in cron: expected 1970 to 2199, *, lists, ranges and steps",
        ),
        (
            "cron(0 18-8 * * ? *)",
            "`18-8` is not valid for hours in cron: expected 0 to 23, *, lists, ranges and steps",
        ),
        (
            "cron(0 1, * * ? *)",
            "`1,` is not valid for hours in cron: expected 0 to 23, *, lists, ranges and steps",
        ),
        (
            "cron(0/0 1 * * ? *)",
            "`0/0` is not valid for minutes in cron: expected 0 to 59, *, lists, ranges and steps",
        ),
        (
            "cron(? 1 * * ? *)",
            "`?` is not valid for minutes in cron: expected 0 to 59, *, lists, ranges and steps",
        ),
    ],
)
def test_an_expression_that_eventbridge_does_not_know_is_refused(expression: str, expected: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EXPRESSION.validate_python(expression)
    assert [str(error["ctx"]["error"]) for error in refused.value.errors()] == [expected]
