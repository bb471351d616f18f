"""Diagnostics as JUnit XML, which pipelines show among their tests."""

from collections.abc import Sequence

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from fleetform.base.errors import printable
from fleetform.reports.diagnostic import Level, Remark
from fleetform.reports.text import text


def junit(remarks: Sequence[Remark]) -> str:
    """Return a JUnit document.

    A diagnostic is a failed test, a mere warning a skipped one, none at all a passed one. XML cannot
    represent control characters: they appear as the escapes of `printable`.
    """
    suite = TestSuite("fleetform")
    suite.add_testcases([_case(remark) for remark in remarks] or [TestCase("no findings", "fleetform")])
    document = JUnitXml("fleetform")
    document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    content: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="utf-8"?>\n{content.decode()}\n'


def _case(remark: Remark) -> "TestCase":
    case = TestCase(printable(f"{remark.rule} {remark.address or remark.place}"), printable(remark.file.as_posix()))
    if remark.level == Level.WARNING and not remark.severity:
        case.result = [Skipped(remark.sentence, "warning")]
        return case
    failure = Failure(remark.sentence, remark.severity or str(remark.level))
    failure.text = text([remark], color=False)
    case.result = [failure]
    return case
