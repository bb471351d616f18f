"""The results of ECR's image scan, and the severities that fail a check."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import InputError, ProgramError

SEVERITIES = ("critical", "high", "medium", "low", "informational", "undefined")
"""Severities, worst first: API reference, ImageScanFinding. Inspector's `untriaged` counts as `undefined`."""

NONE = "none"
"""Accepts all findings; used instead of a severity."""

TIMEOUT = 120.0
"""Seconds to wait for a scan. ECR's basic scan takes well under one minute for most images."""

_START_TIMEOUT = 15.0
"""Seconds to wait for a scan to start. After that, the repository has no scan on push."""
_POLL_SECONDS = 3.0
_RUNNING = {"IN_PROGRESS", "PENDING"}
_DONE = {"COMPLETE", "ACTIVE"}  # ACTIVE: Inspector has scanned it, and scans again when its data changes


@dataclass(frozen=True, order=True)
class Vulnerability:
    """A vulnerability that a scan found.

    Attributes:
        severity: One of `SEVERITIES`.
        name: Its CVE, or the title that Inspector gives it.
        package: The affected package with its version; empty if the scan names none.
    """

    severity: str
    name: str
    package: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.severity} {self.name}" + (f" in {self.package}" if self.package else "")


@dataclass(frozen=True)
class Scan:
    """The result of a scan.

    Attributes:
        vulnerabilities: Its findings, worst first.
        notice: Why there is no result; empty if the scan is complete.
    """

    vulnerabilities: tuple[Vulnerability, ...] = ()
    notice: str = ""

    def at_least(self, severity: str) -> tuple[Vulnerability, ...]:
        """Return the vulnerabilities of one of `SEVERITIES` or worse."""
        severities = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return tuple(
            vulnerability for vulnerability in self.vulnerabilities if vulnerability.severity in severities
        )


def require_severity(severity: str) -> None:
    """Make sure that a severity is one of `SEVERITIES` or `none`.

    Raises:
        InputError: The severity is unknown.
    """
    severities = (*SEVERITIES, NONE)
    if severity not in severities:
        raise InputError(f"unknown severity `{severity}`; choose one of {', '.join(severities)}")


def read_scan(
    ecr: Any,  # noqa: ANN401 - boto3 makes its clients at run time
    repository: str,
    digest: str,
    timeout: float = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
) -> Scan:
    """Wait for the scan of an image and return it.

    Args:
        ecr: The ECR client.
        repository: The image's repository.
        digest: The image's digest.
        timeout: Seconds to wait for a running scan.
        sleep: Waits the given number of seconds.

    Raises:
        ProgramError: The request to ECR fails.
    """
    waited = 0.0
    while True:
        status, findings = _describe_findings(ecr, repository, digest)
        if status in _DONE:
            return Scan(
                tuple(sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding)))
            )
        limit = min(timeout, _START_TIMEOUT) if status == "NOT_FOUND" else timeout
        if status not in {*_RUNNING, "NOT_FOUND"} or waited >= limit:
            return Scan(notice=_NOTICES.get(status, f"ECR could not scan the image ({status})"))
        sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


_NOTICES: Mapping[str, str] = {
    "NOT_FOUND": "ECR has not scanned the image",
    **dict.fromkeys(_RUNNING, "ECR is still scanning the image; check again later"),
}


def _describe_findings(ecr: Any, repository: str, digest: str) -> tuple[str, list[Vulnerability]]:  # noqa: ANN401
    """Return a scan's status and all its findings."""
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(
        repositoryName=repository, imageId={"imageDigest": digest}
    )
    status, vulnerabilities = "NOT_FOUND", []
    try:
        for page in pages:
            status = page["imageScanStatus"]["status"]
            vulnerabilities += list(_vulnerabilities(page.get("imageScanFindings", {})))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ScanNotFoundException":
            raise _scan_error(repository, error) from None
    except BotoCoreError as error:
        raise _scan_error(repository, error) from None
    return status, vulnerabilities


def _scan_error(repository: str, error: Exception) -> ProgramError:
    return ProgramError(f"cannot read the scan of {repository}: {error}; check the AWS credentials")


def _vulnerabilities(findings: Mapping[str, Any]) -> Iterator[Vulnerability]:
    for basic in findings.get("findings", []):
        attributes = {item["key"]: item.get("value", "") for item in basic.get("attributes", [])}
        yield Vulnerability(
            _severity(basic),
            basic["name"],
            _package(attributes.get("package_name"), attributes.get("package_version")),
        )
    for enhanced in findings.get("enhancedFindings", []):
        packages = enhanced.get("packageVulnerabilityDetails", {}).get("vulnerablePackages", [])
        names = ", ".join(_package(package.get("name"), package.get("version")) for package in packages)
        yield Vulnerability(_severity(enhanced), enhanced["title"], names)


def _package(name: str | None, version: str | None) -> str:
    return " ".join(filter(None, (name, version)))


def _severity(finding: Mapping[str, Any]) -> str:
    severity: str = finding.get("severity", "UNDEFINED").lower()
    return severity if severity in SEVERITIES else "undefined"
