"""The counts in Terraform's closing line."""

import pytest

from fleetform.terraform.plan.summary import Summary, summarize


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Plan: 3 to add, 1 to change, 12 to destroy.", Summary(3, 1, 12)),
        ("Plan: 1 to import, 2 to add, 0 to change, 0 to destroy.", Summary(2, 0, 0, imports=1)),
        ("\x1b[0m\x1b[1mPlan:\x1b[0m 3 to add, 0 to change, 1 to destroy.", Summary(3, 0, 1)),
        ("Apply complete! Resources: 4 added, 5 changed, 6 destroyed.", Summary(4, 5, 6)),
        (
            "Apply complete! Resources: 9 imported, 4 added, 5 changed, 6 destroyed.",
            Summary(4, 5, 6, imports=9),
        ),
        (
            "\x1b[0m\x1b[1m\x1b[32mApply complete! Resources: 0 added, 0 changed, 2 destroyed.\x1b[0m",
            Summary(0, 0, 2),
        ),
        ("No changes. Your infrastructure matches the configuration.", Summary()),
        ('  + description = "Plan: 3 to add"', Summary()),
    ],
)
def test_the_counts_of_a_line_are_read(line: str, expected: Summary) -> None:
    assert summarize(["Terraform will perform the following actions:", line, ""]) == expected


def test_output_without_counts_has_no_changes() -> None:
    assert summarize([]) == Summary(0, 0, 0)


def test_the_last_of_several_lines_counts() -> None:
    lines = [
        "Plan: 3 to add, 0 to change, 0 to destroy.",
        "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.",
    ]
    assert summarize(lines) == Summary(2, 0, 0)


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (Summary(), "no changes"),
        (Summary(add=3), "3 to add"),
        (Summary(3, 1, 2), "3 to add, 1 to change, 2 to destroy"),
        (Summary(imports=1), "1 to import"),
    ],
)
def test_a_summary_omits_zeros(summary: Summary, text: str) -> None:
    assert str(summary) == text
