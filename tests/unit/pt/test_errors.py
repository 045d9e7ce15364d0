"""Each error that ends a start has its own line and the exit code of wrong options."""

from __future__ import annotations

from mayfly.errors import ExitCode
from mayfly.pt.errors import ArgumentsError, ProxyError, PtError, VariableError, VersionError


def test_keywords_are_those_of_the_specification() -> None:
    assert {kind.keyword for kind in (PtError, VariableError, VersionError, ProxyError)} == {
        "ENV-ERROR",
        "VERSION-ERROR",
        "PROXY-ERROR",
    }


def test_they_are_errors_of_use() -> None:
    assert {kind("").exit_code for kind in (VariableError, VersionError, ProxyError, ArgumentsError)} == {
        ExitCode.USAGE
    }
