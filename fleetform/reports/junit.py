"""Diagnostics as JUnit XML, which pipelines show among their tests."""

from collections.abc import Sequence

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from fleetform.base.errors import printable
from fleetform.reports.diagnostic import Diagnostic, Level
from fleetform.reports.text import text


def junit(diagnostics: Sequence[Diagnostic]) -> str:
    """Return a JUnit document.

    A diagnostic is a failed test, a mere warning a skipped one, none at all a passed one. XML cannot
    represent control characters: they appear as the escapes of `printable`.
    """
    suite = TestSuite("fleetform")
    suite.add_testcases(
        [_case(diagnostic) for diagnostic in diagnostics] or [TestCase("no findings", "fleetform")]
    )
    document = JUnitXml("fleetform")
    document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    content: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="utf-8"?>\n{content.decode()}\n'


def _case(diagnostic: Diagnostic) -> "TestCase":
    case = TestCase(
        printable(f"{diagnostic.rule} {diagnostic.address or diagnostic.place}"),
        printable(diagnostic.file.as_posix()),
    )
    if diagnostic.level == Level.WARNING and not diagnostic.severity:
        case.result = [Skipped(diagnostic.sentence, "warning")]
        return case
    failure = Failure(diagnostic.sentence, diagnostic.severity or str(diagnostic.level))
    failure.text = text([diagnostic], color=False)
    case.result = [failure]
    return case
