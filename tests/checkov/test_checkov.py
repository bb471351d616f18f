from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from . import scanner

EXCEPTIONS = yaml.safe_load((Path(__file__).parent / "exceptions.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def checkov() -> Path:
    return scanner.install()


@pytest.mark.parametrize("environment", sorted(EXCEPTIONS))
@pytest.mark.parametrize("stack", ["foundation", "services"])
def test_just_the_exceptions_fail(sample_root: Path, environment: str, stack: str, checkov: Path) -> None:
    """Checkov finds in a stack of the sample what has an exception, and every exception is needed."""
    exceptions = [exception for exception in EXCEPTIONS[environment] if exception["stack"] == stack]
    failed = scanner.failed(checkov, sample_root / "envs" / environment / stack)
    unexpected = {
        finding for finding in failed if not any(_covers(exception, finding) for exception in exceptions)
    }
    unused = [
        exception for exception in exceptions if not any(_covers(exception, finding) for finding in failed)
    ]
    assert unexpected == set()
    assert unused == []


def test_each_exception_has_a_reason() -> None:
    exceptions = [exception for environment in EXCEPTIONS.values() for exception in environment]
    assert [exception["check"] for exception in exceptions if len(exception["reason"]) < 40] == []


def _covers(exception: dict[str, str], finding: tuple[str, str]) -> bool:
    check, address = finding
    pattern = exception["address"].replace("[", "[[]")
    return check == exception["check"] and fnmatchcase(address, pattern)
