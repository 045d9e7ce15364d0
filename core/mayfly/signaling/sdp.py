"""SDP out of a description, and a description out of SDP: data channel only.

What a code leaves out is the same in every data channel's SDP, so it is a template here (JSEP RFC 9429 §5.2; SCTP
RFC 8841, DTLS RFC 8842, ICE RFC 8839). Chromium and aiortc read it, and from_sdp reads what they and Firefox write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

from mayfly.errors import CodeError
from mayfly.signaling import rules
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup

MAX_SDP = 65_536
"""Characters of an SDP that are looked at; a longer one is refused."""

MAX_MESSAGE_SIZE = 262_144
"""What `a=max-message-size` says. Left out, it would mean 64 KiB (RFC 8841 §6.1), and bulk data was seen to stall."""

_SCTP_PORT = 5000
_MID = "0"
_PREFERENCES = {CandidateType.HOST: 126, CandidateType.SERVER_REFLEXIVE: 100, CandidateType.RELAYED: 0}
_MEDIA = re.compile(r"m=application (\d{1,5}) (?:UDP|TCP)/DTLS/SCTP webrtc-datachannel", re.ASCII)
_FINGERPRINT = re.compile(r"sha-256 +((?:[0-9a-f]{2}:){31}[0-9a-f]{2})", re.ASCII)
# RFC 8839 §5.1; what follows the type (related address, generation, network cost) is not needed.
_CANDIDATE = re.compile(r"\S+ +1 +udp +(\d{1,10}) +(\S+) +(\d{1,5}) +typ +(\S+)(?: .*)?", re.ASCII | re.IGNORECASE)


class SdpError(CodeError):
    """The SDP does not describe a data channel that a code could carry."""

    advice = "Exchange new codes; if it happens again, use the same version of Mayfly on both sides."


def to_sdp(description: Description) -> str:
    """A whole SDP, lines ended by CR LF. Raises ValueError when the description breaks a rule of rules.py.

    There is no `a=end-of-candidates`. An offer that had it would make an aiortc answerer give up about a minute after
    it began to check, while a person still carries the answer; and in an answer it would make an offerer give up on an
    end that is reached by a candidate learnt from its checks. So both say that more may trickle (RFC 8838 §14).
    """
    rules.check(description)
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {_MID}",
        "a=msid-semantic: WMS",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        *(_candidate_line(rank, candidate) for rank, candidate in enumerate(description.candidates)),
        f"a=ice-ufrag:{description.ufrag}",
        f"a=ice-pwd:{description.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {description.fingerprint.hex(':').upper()}",
        f"a=setup:{description.setup.value}",
        f"a=mid:{_MID}",
        f"a=sctp-port:{_SCTP_PORT}",
        f"a=max-message-size:{MAX_MESSAGE_SIZE}",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def from_sdp(text: str, kind: Kind) -> Description:
    """What a code needs of an SDP. TCP candidates, those of unknown form, and hashes but SHA-256 are left out.

    Candidates come in the order of their priority, at most rules.MAX_CANDIDATES. Raises SdpError.
    """
    if len(text) > MAX_SDP:
        raise SdpError("The SDP is too long.")
    session, media = _sections(text)
    both = (media, session)  # what the media section says counts before what the session says
    if any(value != _MID for value in _attribute(media, "mid")):
        raise SdpError(f"The data channel's a=mid is not {_MID}.")
    if any(value != str(_SCTP_PORT) for value in _attribute(media, "sctp-port")):
        raise SdpError(f"The data channel's a=sctp-port is not {_SCTP_PORT}.")
    setup = _first(both, "setup")
    if setup not in {role.value for role in Setup}:
        raise SdpError("The SDP has no DTLS role (a=setup) that can be used.")
    description = Description(
        kind,
        Setup(setup),
        _fingerprint(both),
        _first(both, "ice-ufrag"),
        _first(both, "ice-pwd"),
        _candidates(_attribute(media, "candidate")),
    )
    try:
        rules.check(description)
    except ValueError as error:
        raise SdpError(f"The SDP cannot be used: {error}.") from None
    return description


def _sections(text: str) -> tuple[list[str], list[str]]:
    """The lines of the session, and those of the data channel's media section."""
    sections: list[list[str]] = [[]]
    for raw in text.split("\n"):
        line = raw.rstrip(" \t\r")
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    for section in sections[1:]:
        if match := _MEDIA.fullmatch(section[0]):
            if match[1] == "0" and "a=bundle-only" not in section:
                raise SdpError("The SDP refuses the data channel (its port is 0).")
            return sections[0], section
    raise SdpError("The SDP has no data channel.")


def _attribute(lines: Iterable[str], name: str) -> list[str]:
    prefix = f"a={name}:"
    return [line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix)]


def _first(sections: Iterable[list[str]], name: str) -> str:
    return next((value for section in sections for value in _attribute(section, name)), "")


def _fingerprint(sections: Iterable[list[str]]) -> bytes:
    for section in sections:
        matches = (_FINGERPRINT.fullmatch(value.lower()) for value in _attribute(section, "fingerprint"))
        found = {match[1] for match in matches if match}
        if len(found) > 1:
            raise SdpError("The SDP names several certificates; a code carries one.")
        if found:
            return bytes.fromhex(found.pop().replace(":", ""))
    raise SdpError("The SDP has no SHA-256 fingerprint.")


def _candidates(lines: Iterable[str]) -> tuple[Candidate, ...]:
    matches = [match for line in lines if (match := _CANDIDATE.fullmatch(line))]
    matches.sort(key=lambda match: int(match[1]), reverse=True)
    candidates = (_candidate(match[2], match[3], match[4]) for match in matches)
    return rules.choose(candidate for candidate in candidates if candidate is not None)


def _candidate(host: str, port: str, type_: str) -> Candidate | None:
    """None for what this program cannot use: RFC 8839 §5.1 has such candidates ignored."""
    try:
        address = host.lower() if host.lower().endswith(".local") else ip_address(host)
        candidate = Candidate(CandidateType(type_.lower()), address, int(port))
        rules.check_candidate(candidate)
    except ValueError:
        return None
    return candidate


def _candidate_line(rank: int, candidate: Candidate) -> str:
    # RFC 8445 §5.1.2.1, for component 1. Each candidate is its own foundation, so no pair waits for another's check.
    priority = (_PREFERENCES[candidate.type] << 24) + ((0xFFFF - rank) << 8) + 255
    line = f"a=candidate:{rank + 1} 1 udp {priority} {candidate.address} {candidate.port} typ {candidate.type.value}"
    if candidate.type is CandidateType.HOST:
        return line
    # RFC 8839 §5.1: the related address must stand there, and this is how it is withheld.
    hidden = "::" if isinstance(candidate.address, IPv6Address) else "0.0.0.0"  # noqa: S104 - not an address to bind
    return f"{line} raddr {hidden} rport 9"
