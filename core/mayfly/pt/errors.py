"""What can be wrong with the way in which tor has started us. Each error knows the protocol line that says so."""

from __future__ import annotations

from mayfly.errors import UsageError


class PtError(UsageError):
    """A start that goes no further. `keyword` begins the line that tells tor; the process ends after it."""

    keyword = "ENV-ERROR"
    advice = "tor sets these variables: let it start mayfly pt, by ClientTransportPlugin in its torrc."


class VersionError(PtError):
    """tor speaks no version of the specification that we speak."""

    keyword = "VERSION-ERROR"
    advice = ""  # the line is pt-spec's, and tor reads it


class VariableError(PtError):
    """A variable is missing or makes no sense."""


class ProxyError(PtError):
    """The proxy that tor wants us to use is malformed, or of no use to us."""

    keyword = "PROXY-ERROR"
    advice = "Correct the proxy in tor's torrc."


class ArgumentsError(UsageError):
    """The arguments of a bridge line cannot be understood."""

    advice = "Correct the Bridge line in tor's torrc; client/README.md shows its arguments."
