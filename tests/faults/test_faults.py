"""Applies that are interrupted or meet faults lose nothing.

`python benchmarks/faults.py` runs many more trials.
"""

import signal
from pathlib import Path

from tests.faults.checkout import checkout
from tests.faults.trials import Cut, Kill, Moment, Trial, fault, kill


def trouble(trial: Trial) -> list[str]:
    """Return the problems of a trial, with the output if there are any."""
    wrong = [*trial.lost, *trial.left, *(orphan for orphan in trial.orphans if orphan not in trial.explained)]
    return wrong if trial.sound else [*wrong, f"recovered: {trial.recovered}", trial.output]


def test_what_was_made_when_the_power_failed_is_imported(tmp_path: Path) -> None:
    trial = kill(tmp_path, 1, Cut("apply", Kill.ALL, Moment(made=8, seconds=0)))
    assert trouble(trial) == []
    assert (
        "left foundation locked: its Terraform was killed\nfoundation: created, but not saved" in trial.output
    )
    assert " imported, " in trial.output


def test_a_terraform_that_quits_at_once_is_recovered_from(tmp_path: Path) -> None:
    assert trouble(kill(tmp_path, 2, Cut("apply", Kill.TWICE, Moment(made=20, seconds=0)))) == []


def test_faults_of_the_network_and_of_aws_lose_nothing(tmp_path: Path) -> None:
    assert trouble(fault(tmp_path, seed=1, rate=0.05)) == []


def test_of_two_applies_one_waits_for_the_other_and_for_its_terraform_if_that_goes_on_alone(
    tmp_path: Path,
) -> None:
    with checkout(tmp_path) as project:
        project.emulator()
        with project.begun("apply") as first:
            first.until_made(3)
            with project.begun("apply", "second.out") as second:
                second.until(lambda output: output.endswith("which runs in this checkout\n"))
                waiting = second.output()
                first.signal(signal.SIGKILL)
                done = second.end()
    pid = first.process.pid
    assert waiting.startswith(f"waiting for `apply --env local` (process {pid}, since ")
    assert f"waiting for the Terraform of `apply --env local` (process {pid}, " in done.output
    assert "\nfoundation: no changes (" in done.output
    assert done.code == 0
