"""What ECR's scan knows of an image, and whether that is bad enough to stop."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import InputError, ProgramError

SEVERITIES = ("critical", "high", "medium", "low", "informational", "undefined")
"""Worst first: API reference, ImageScanFinding. Inspector's `untriaged` counts as `undefined`."""

NONE = "none"
"""Instead of a severity: whatever is found is accepted."""

TIMEOUT = 120.0
"""Seconds that a scan may take. ECR's basic scan takes well under one minute for most images."""

_START_TIMEOUT = 15.0
"""Seconds after which a scan that has not begun will not: nothing scans this repository on push."""
_POLL_SECONDS = 3.0
_RUNNING = {"IN_PROGRESS", "PENDING"}
_DONE = {"COMPLETE", "ACTIVE"}  # ACTIVE: Inspector has scanned it, and scans again when it learns something


@dataclass(frozen=True, order=True)
class Vulnerability:
    """One thing that a scan found.

    Attributes:
        severity: One of `SEVERITIES`.
        name: Its CVE, or the title that Inspector gives it.
        package: The package that has it, with its version; empty if the scan names none.
    """

    severity: str
    name: str
    package: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.severity} {self.name}" + (f" in {self.package}" if self.package else "")


@dataclass(frozen=True)
class Scan:
    """What came of a scan.

    Attributes:
        vulnerabilities: What it found, worst first.
        notice: Why nothing is known, empty if the scan is done.
    """

    vulnerabilities: tuple[Vulnerability, ...] = ()
    notice: str = ""

    def at_least(self, severity: str) -> tuple[Vulnerability, ...]:
        """What is as bad as one of `SEVERITIES`, or worse."""
        bad = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return tuple(found for found in self.vulnerabilities if found.severity in bad)


def require_severity(severity: str) -> None:
    """Makes sure that a severity is one, or `none`.

    Raises:
        InputError: It is none.
    """
    known = (*SEVERITIES, NONE)
    if severity not in known:
        raise InputError(f"no severity `{severity}`; known: {', '.join(known)}")


def read_scan(
    ecr: Any,  # noqa: ANN401 - boto3 makes its clients at run time
    repository: str,
    digest: str,
    patience: float = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
) -> Scan:
    """Reads the scan of an image, once it is done.

    Args:
        ecr: ECR's client.
        repository: The image's repository.
        digest: The image's digest.
        patience: Seconds that a running scan is waited for.
        sleep: Waits so many seconds.

    Raises:
        ProgramError: ECR does not answer as it should.
    """
    waited = 0.0
    while True:
        status, findings = _describe_findings(ecr, repository, digest)
        if status in _DONE:
            return Scan(tuple(sorted(findings, key=lambda found: (SEVERITIES.index(found.severity), found))))
        limit = min(patience, _START_TIMEOUT) if status == "NOT_FOUND" else patience
        if status not in {*_RUNNING, "NOT_FOUND"} or waited >= limit:
            return Scan(notice=_NOTICES.get(status, f"ECR could not scan it ({status})"))
        sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


_NOTICES: Mapping[str, str] = {
    "NOT_FOUND": "ECR has not scanned it",
    **dict.fromkeys(_RUNNING, "ECR is still scanning it; look again later"),
}


def _describe_findings(ecr: Any, repository: str, digest: str) -> tuple[str, list[Vulnerability]]:  # noqa: ANN401
    """The scan's status and all its findings."""
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(
        repositoryName=repository, imageId={"imageDigest": digest}
    )
    status, found = "NOT_FOUND", []
    try:
        for page in pages:
            status = page["imageScanStatus"]["status"]
            found += list(_vulnerabilities(page.get("imageScanFindings", {})))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ScanNotFoundException":
            raise _is_unsupported(repository, error) from None
    except BotoCoreError as error:
        raise _is_unsupported(repository, error) from None
    return status, found


def _is_unsupported(repository: str, error: Exception) -> ProgramError:
    return ProgramError(f"scan of {repository}: {error}; check credentials")


def _vulnerabilities(findings: Mapping[str, Any]) -> Iterator[Vulnerability]:
    for basic in findings.get("findings", []):
        attributes = {item["key"]: item.get("value", "") for item in basic.get("attributes", [])}
        yield Vulnerability(
            _severity(basic), basic["name"], _package(attributes.get("package_name"), attributes.get("package_version"))
        )
    for enhanced in findings.get("enhancedFindings", []):
        packages = enhanced.get("packageVulnerabilityDetails", {}).get("vulnerablePackages", [])
        shown = ", ".join(_package(package.get("name"), package.get("version")) for package in packages)
        yield Vulnerability(_severity(enhanced), enhanced["title"], shown)


def _package(name: str | None, version: str | None) -> str:
    return " ".join(filter(None, (name, version)))


def _severity(finding: Mapping[str, Any]) -> str:
    severity: str = finding.get("severity", "UNDEFINED").lower()
    return severity if severity in SEVERITIES else "undefined"
