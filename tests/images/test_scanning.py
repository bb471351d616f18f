from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from fleetform.base.errors import InputError, ProgramError
from fleetform.images.scanning import Scan, Vulnerability, read_scan, require_severity
from tests.images.registries import make_repository, push, registry_at

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

DIGEST = "sha256:" + "1" * 64
CRITICAL = Vulnerability("critical", "CVE-2026-1", "openssl 3.0.1")
HIGH = Vulnerability("high", "CVE-2026-2", "zlib 1.2")
LOW = Vulnerability("low", "CVE-2026-3", "")
ASKED = {"repositoryName": "shop-dev-web", "imageId": {"imageDigest": DIGEST}}


@dataclass(frozen=True)
class Ecr:
    """ECR's client, with the answers that it is to get, in order."""

    client: "ECRClient"
    stub: Stubber

    def answer(
        self, status: str, findings: Mapping[str, Any] | None = None, *, after: str = "", more: str = ""
    ) -> None:
        """Prepares a page: the one `after` a token, and telling of `more` by another."""
        page = {"imageScanStatus": {"status": status}, "imageScanFindings": findings or {}}
        self.stub.add_response(
            "describe_image_scan_findings",
            {**page, "nextToken": more} if more else page,
            expected_params={**ASKED, "nextToken": after} if after else ASKED,
        )

    def refuse(self, code: str, message: str = "") -> None:
        """Prepares an error."""
        self.stub.add_client_error("describe_image_scan_findings", code, message, expected_params=ASKED)

    def scan(self, timeout: float = 0) -> tuple[Scan, list[float]]:
        """The scan, and how long it was waited for, each time."""
        waits: list[float] = []
        return read_scan(self.client, "shop-dev-web", DIGEST, timeout, waits.append), waits


@pytest.fixture
def ecr() -> Iterator[Ecr]:
    client = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1"
    ).client("ecr")
    with Stubber(client) as stub:
        yield Ecr(client, stub)
        stub.assert_no_pending_responses()


def basic(name: str, severity: str, **attributes: str) -> dict[str, Any]:
    """A finding of ECR's own scan."""
    listed = [{"key": key, "value": value} for key, value in attributes.items()]
    return {"name": name, "severity": severity, "attributes": listed}


def test_the_findings_of_all_pages_are_read_worst_first(ecr: Ecr) -> None:
    first = [
        basic("CVE-2026-3", "LOW"),
        basic("CVE-2026-2", "HIGH", package_name="zlib", package_version="1.2"),
    ]
    last = [basic("CVE-2026-1", "CRITICAL", package_name="openssl", package_version="3.0.1")]
    ecr.answer("COMPLETE", {"findings": first}, more="two")
    ecr.answer("COMPLETE", {"findings": last}, after="two")
    assert ecr.scan() == (Scan((CRITICAL, HIGH, LOW)), [])


def test_inspectors_findings_are_read_too(ecr: Ecr) -> None:
    packages = [{"name": "openssl", "version": "3.0.1"}, {"name": "libssl"}]
    found = {
        "title": "CVE-2026-1 - openssl",
        "severity": "UNTRIAGED",
        "packageVulnerabilityDetails": {"vulnerablePackages": packages},
    }
    ecr.answer("ACTIVE", {"enhancedFindings": [found]})
    expected = Vulnerability("undefined", "CVE-2026-1 - openssl", "openssl 3.0.1, libssl")
    assert ecr.scan() == (Scan((expected,)), [])


def test_a_scan_that_runs_is_waited_for(ecr: Ecr) -> None:
    ecr.refuse("ScanNotFoundException")
    ecr.answer("PENDING")
    ecr.answer("IN_PROGRESS")
    ecr.answer("COMPLETE")
    assert ecr.scan(timeout=120) == (Scan(), [3, 3, 3])


def test_a_scan_that_takes_too_long_is_a_notice(ecr: Ecr) -> None:
    for _ in range(3):
        ecr.answer("IN_PROGRESS")
    assert ecr.scan(timeout=6) == (Scan(notice="ECR is still scanning the image; check again later"), [3, 3])


def test_a_scan_that_does_not_begin_is_a_notice_well_before_patience_ends(ecr: Ecr) -> None:
    for _ in range(6):
        ecr.refuse("ScanNotFoundException")
    assert ecr.scan(timeout=120) == (Scan(notice="ECR has not scanned the image"), [3, 3, 3, 3, 3])


def test_an_image_that_cannot_be_scanned_is_a_notice(ecr: Ecr) -> None:
    ecr.answer("UNSUPPORTED_IMAGE")
    assert ecr.scan(timeout=120) == (Scan(notice="ECR could not scan the image (UNSUPPORTED_IMAGE)"), [])


def test_an_answer_that_is_none_is_reported_with_its_repository(ecr: Ecr) -> None:
    ecr.refuse("AccessDeniedException", "no")
    with pytest.raises(ProgramError) as caught:
        ecr.scan()
    assert str(caught.value) == (
        "cannot read the scan of shop-dev-web: An error occurred (AccessDeniedException) when calling the "
        "DescribeImageScanFindings operation: no; check the AWS credentials"
    )


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("critical", (CRITICAL,)), ("high", (CRITICAL, HIGH)), ("low", (CRITICAL, HIGH, LOW))],
)
def test_a_severity_takes_in_all_that_is_worse(severity: str, expected: tuple[Vulnerability, ...]) -> None:
    assert Scan((CRITICAL, HIGH, LOW)).at_least(severity) == expected


def test_a_severity_that_ecr_does_not_have_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        require_severity("hihg")
    assert str(caught.value) == (
        "unknown severity `hihg`; choose one of critical, high, medium, low, informational, undefined, none"
    )


def test_a_vulnerability_is_one_line() -> None:
    assert list(map(str, (CRITICAL, LOW))) == ["critical CVE-2026-1 in openssl 3.0.1", "low CVE-2026-3"]


def test_the_emulator_has_scanned_nothing(terraform_environment: Mapping[str, str]) -> None:
    registry = registry_at(terraform_environment)
    repository = make_repository(registry)
    try:
        digest = push(repository, "web", "one")
        assert read_scan(registry.ecr, repository.name, digest, timeout=0) == Scan(
            notice="ECR has not scanned the image"
        )
    finally:
        registry.ecr.delete_repository(repositoryName=repository.name, force=True)
