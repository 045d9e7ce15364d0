"""core/PROTOCOL.md says the code's numbers: each phrase below is made from a number of the code and stands there."""

from __future__ import annotations

import re
from enum import IntEnum

import pytest

from mayfly.chat import names as chat_names
from mayfly.chat import records as chat_records
from mayfly.chat.fates import NEXT, Fate
from mayfly.config import KIB, MIB, ChatConfig, FilesConfig, MuxConfig, RendezvousConfig, StreamHeaderConfig
from mayfly.files import records as files_records
from mayfly.meetconfig import MeetingConfig, OnionConfig
from mayfly.mux.greeting import _MESSAGE_COST
from mayfly.onion import messages as onion
from mayfly.rendezvous import envelope, ports, sealing
from mayfly.runtime.session import _FIRST_MESSAGE
from mayfly.sctp.search import _ETHERNET
from mayfly.sctp.wire import Parameter
from mayfly.signaling import body, finding, rules, words
from mayfly_broker.config import BrokerConfig
from support.documents import numbered, read, rows, section

MUX, CHAT, FILES, BROKER = MuxConfig(), ChatConfig(), FilesConfig(), BrokerConfig()
BODIES, ONION, HEADER = RendezvousConfig(), OnionConfig(), StreamHeaderConfig()
SPELLED = {3: "three", 8: "eight", 12: "twelve"}


def page() -> str:
    """The page as running text."""
    return re.sub(r"\s+", " ", read("core/PROTOCOL.md"))


LIMITS = {
    "largest message sent": f"{MUX.usual_message // KIB} KiB, up to {MUX.max_message // KIB} KiB where much may wait",
    "`max_message`": f"{MUX.max_receive_message // KIB} KiB",
    "`max_data`, and the largest window of a session": (
        f"{MUX.initial_connection_window // MIB} MiB, {MUX.max_connection_window // MIB} MiB"
    ),
    "`max_stream_data`, and the largest window of a stream": (
        f"{MUX.initial_stream_window // KIB} KiB, {MUX.max_stream_window // MIB} MiB"
    ),
    "`max_streams`": f"{MUX.max_streams:,}",
    "`max_datagram`": f"{MUX.max_datagram:,} bytes",
    "pieces held out of order, all streams together": f"{MUX.max_gaps:,}",
    "header or answer": f"{HEADER.max_header} bytes, {HEADER.timeout:.0f} s",
    "reason, policy": f"{MUX.max_reason} bytes",
    "silence before PING, before death; wait for HELLO": (
        f"{MUX.ping_after:.0f} s, {MUX.dead_after:.0f} s; {MUX.hello_timeout:.0f} s"
    ),
}

CHAT_LIMITS = {
    "participants that a process knows, those away included": str(CHAT.max_participants),
    "messages kept for one neighbour, of all authors; of one author": (
        f"{CHAT.max_waiting} and {CHAT.max_waiting_bytes // KIB} KiB of text; "
        f"{CHAT.max_share} and {CHAT.max_waiting_bytes // 2 // KIB} KiB"
    ),
    "bytes that wait to be written to one half": f"{CHAT.max_queue // MIB} MiB",
    "names in a record, or behind one neighbour": str(chat_records.MAX_NAMES),
    "how long one may be away": f"{CHAT.keep_away:.0f} s",
}

PHRASES = {
    "packet before it is told": f"packets are at most {_ETHERNET:,} bytes",
    "parameter": f"parameter 0x{Parameter.LARGEST_PACKET:04X} into its INIT",
    "silence": (
        f"heard nothing for {MUX.ping_after:.0f} s sends PING. When it then hears nothing for "
        f"{MUX.dead_after - MUX.ping_after:.0f} s more"
    ),
    "hello": f"HELLO has {MUX.hello_timeout:.0f} s to come",
    "header": f"that many bytes, at most {HEADER.max_header}.",
    "header's time": f"A header has {HEADER.timeout:.0f} s to come whole",
    "reasons": f"at most {MUX.max_reason} bytes of it are kept",
    "pieces": f"({MUX.max_gaps:,} in this implementation)",
    "chat body": f"A body is at most {chat_records.MAX_RECORD:,} bytes",
    "chat text": f"text of at most {chat_records.MAX_TEXT:,} bytes",
    "chat name": f"at most {chat_records.MAX_NAME} code points, and therefore at most {4 * chat_records.MAX_NAME} ",
    "chat count": f"is an `i` of at most {chat_records.MAX_NAMES}",
    "chat id": f"An *id* is {chat_records.ID_SIZE} bytes",
    "chat time": f"at most {chat_records.MAX_TIME} (the year 9999)",
    "chat names": f"cuts to {chat_names._MAX_SAFE} code points; calls an empty one `{chat_names.NAMELESS}`",
    "chat words": ", ".join(f"`{word}`" for word in chat_names.RESERVED),
    "chat absence": f"After {CHAT.keep_away:.0f} s it is *gone*",
    "chat pace": (
        f"{CHAT.record_rate:.0f} records and {CHAT.byte_rate / KIB:.0f} KiB a second, "
        f"{CHAT.record_burst:.0f} records and {CHAT.byte_burst / KIB:.0f} KiB at once"
    ),
    "files chunk": f"A CHUNK has 1 to {files_records.MAX_CHUNK:,} bytes of data",
    "files record": f"the body of any other record is at most {files_records.MAX_RECORD:,} bytes",
    "files name": f"at most {files_records.MAX_DISPLAY_NAME:,} bytes, and names no path",
    "files block": f"*blocks* of {files_records.BLOCK // MIB} MiB",
    "files digest": f"BLAKE3 digest ({files_records.HASH_SIZE} bytes)",
    "files ahead": f"below a *chunk* of {FILES.max_unstored // MIB} MiB",
    "onion port": f"the virtual port {onion.PORT},",
    "onion line": f"at most {ONION.max_line:,} bytes, ended by a line feed",
    "onion answer": f'"seconds":{ONION.answer_timeout:.0f}',
    "code length": f"takes up to {finding.MAX_SYMBOLS:,} data characters",
    "code version": f"bits 7-5: version, {body.VERSION}.",
    "code digest": f"the first {body.DIGEST_LENGTH} bytes of SHA-256 of the offer's body",
    "code user name": f"user name fragment, minus {rules.MIN_UFRAG} (0-{rules.MAX_UFRAG - rules.MIN_UFRAG})",
    "code password": f"ICE password, minus {rules.MIN_PASSWORD} (0-{rules.MAX_PASSWORD - rules.MIN_PASSWORD})",
    "code candidates": f"0 to {rules.MAX_CANDIDATES} candidates",
    "words": f"with {words.ITERATIONS:,} rounds, the salt `{words.SALT.decode()}`",
    "words' bytes": f"Each of the {words.COUNT} bytes of the result",
    "sealed": f"ciphertext, at most {BODIES.max_message - 1:,} bytes",
    "padding": f"up to a multiple of {sealing.BLOCK} bytes",
    "broker body": f"a request's has at most {BODIES.max_body // KIB} KiB",
    "broker lifetime": f"`lifetime` is {BODIES.min_lifetime:.0f} to {BODIES.max_lifetime:,.0f}",
    "broker capacity": f"`capacity` (0 to {BODIES.max_capacity})",
    "broker lease": (
        f"for `expires_in` seconds ({BROKER.lease:.0f}) after a poll or PATCH begins, and for {BROKER.cut_lease:.0f} "
    ),
    "broker poll": f"after W seconds (0 to {BODIES.max_wait:.0f})",
    "broker news": f"at most {SPELLED[BODIES.max_events]} events and {BODIES.max_answer // KIB} KiB",
    "broker tries": f"A code has {SPELLED[BROKER.tries]} tries.",
    "broker openings": f"or {SPELLED[BROKER.openings]} matches have",
    "friend tries": f"After {SPELLED[MeetingConfig().tries]} the code is dead",
    "first message": f"a random size from {min(_FIRST_MESSAGE):,} to {max(_FIRST_MESSAGE):,} bytes",
    "hello message": f"The HELLO message itself may be up to {max(_FIRST_MESSAGE):,} bytes",
    "hello early": f"at {_MESSAGE_COST} bytes a message above its size",
    "broker exclude": f"names up to {BODIES.max_exclude} postings",
    "broker mailbox": f"at most {BODIES.max_messages} messages and {BROKER.max_mailbox:,} characters of bodies",
    "broker message": f"a body is at most {BODIES.max_message:,} bytes sealed",
    "broker match": f"A match lasts at most {BROKER.match_lifetime:.0f} s.",
    "broker linger": f"can be read for {BROKER.linger:.0f} s more",
    "broker rest": f"not given to anybody for {BROKER.nameplate_rest / 60:.0f} minutes",
    "broker port classes": (
        "; ".join(f"`{name}` {', '.join(str(port) for port in numbers)}" for name, numbers in ports._NAMED.items())
        + f"; `high` all others from 1024; `low` all others below, but for {ports.NEVER}"
    ),
}


def test_the_table_of_limits() -> None:
    assert dict(rows(section(read("core/PROTOCOL.md"), "## Limits"))) == LIMITS


def test_the_chat_s_table_of_limits() -> None:
    found = dict(rows(section(read("core/PROTOCOL.md"), "### Pace and room")))
    assert set(found) == set(CHAT_LIMITS)
    for name, value in CHAT_LIMITS.items():
        assert re.match(rf"{re.escape(value)}(?!\d|\w)", found[name]), name


@pytest.mark.parametrize("what", PHRASES)
def test_each_number_in_the_text(what: str) -> None:
    assert PHRASES[what] in page()


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("### Records", chat_records.Type),
        ("### Fates", Fate),
        ("## Files", files_records.RecordType),
        ("### Ends", files_records.Reason),
    ],
)
def test_the_numbered_tables(heading: str, kind: type[IntEnum]) -> None:
    found = numbered(heading)
    if kind is files_records.RecordType:  # the section's other tables are of its subsections
        found = {name: number for name, number in found.items() if name in kind.__members__}
    assert found == {member.name: member.value for member in kind}


def test_the_table_of_what_a_fate_may_become() -> None:
    table = {cells[1]: cells[3] for cells in rows(section(read("core/PROTOCOL.md"), "### Fates"))}
    for fate, after in NEXT.items():
        named = {Fate[name] for name in table[fate.name].split(", ") if name and name != "any other"}
        assert (set(Fate) - {fate} if table[fate.name] == "any other" else named) == after, fate


def test_the_refusals_of_a_sealed_meeting() -> None:
    table = rows(section(read("core/PROTOCOL.md"), "## Sealed meetings").partition("\n### ")[0])
    refusal = next(meaning for _, message, meaning in table if message == "refusal")
    numbers = [int(number) for number in re.findall(r"(?:: |, )(\d) ", refusal)]
    assert numbers == [reason.value for reason in envelope.Reason]


def test_the_refusals_at_an_onion_service() -> None:
    named = re.search(r"Reasons are (`[^.]*)\. An unknown", page())
    assert named
    found = re.findall(r"`([a-z]+)`", re.sub(r"\(.*?\)", "", named[1]))
    assert found == [reason.value for reason in onion.Refusal]
