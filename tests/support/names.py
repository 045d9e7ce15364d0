"""A name server in a thread of the test process: it ends with it, and knows what it was asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset


@dataclass(frozen=True, slots=True)
class NameServer:
    """Where it listens, and the names that it was asked for, lower-case and without their last dot."""

    address: str
    port: int
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def name_server(address: str, names: Mapping[str, str], port: int = 0) -> Iterator[NameServer]:
    """Serve A and PTR records of `names` while the block lasts; of anything else it says that there is no such name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, port))
        server = NameServer(address, sock.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(sock, names, server.asked), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            sock.sendto(b"", sock.getsockname())  # ends the thread
            thread.join()


def _serve(sock: socket.socket, names: Mapping[str, str], asked: list[str]) -> None:
    while True:
        data, sender = sock.recvfrom(4096)
        if not data:
            return
        with contextlib.suppress(dns.exception.DNSException):
            query = dns.message.from_wire(data)
            if query.question:
                sock.sendto(_answer(query, names, asked).to_wire(), sender)


def _answer(query: dns.message.Message, names: Mapping[str, str], asked: list[str]) -> dns.message.Message:
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()  # tor asks in mixed case, and compares
    asked.append(name)
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA | dns.flags.RA
    pointers = {dns.reversename.from_address(found).to_text(omit_final_dot=True): host for host, found in names.items()}
    if question.rdtype == dns.rdatatype.A and name in names:
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", names[name]))
    elif question.rdtype == dns.rdatatype.PTR and name in pointers:
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "PTR", pointers[name] + "."))
    elif name not in names and name not in pointers:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer
