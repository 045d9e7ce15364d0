"""stem against a control port of the tests' own. Real tors are in tests/system."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly.errors import TorError
from mayfly.tor.control import TorControl
from mayfly.tor.settings import ControlAddress
from mayfly.tor.status import Circuit, TorStatus
from support.fake_tor import ONION, FakeTor
from support.programs import free_port


@pytest.fixture
def fake() -> Iterator[FakeTor]:
    with FakeTor() as fake:
        yield fake


@pytest.fixture
def control(fake: FakeTor) -> Iterator[TorControl]:
    control = TorControl.connect(ControlAddress(port=fake.port))
    yield control
    control.close()


def test_where_nothing_listens() -> None:
    with pytest.raises(TorError, match="Nothing takes commands"):
        TorControl.connect(ControlAddress(port=free_port()))
    with pytest.raises(TorError, match="Nothing takes commands"):
        TorControl.connect(ControlAddress(path="/nowhere/control"))


def test_the_password_is_asked_for() -> None:
    with FakeTor(password="open sesame") as fake:
        TorControl.connect(ControlAddress(port=fake.port, password="open sesame")).close()
        for wrong, hint in (("", "It wants its password"), ("sesame", "is not the one of HashedControlPassword")):
            with pytest.raises(TorError, match="does not let us in") as caught:
                TorControl.connect(ControlAddress(port=fake.port, password=wrong))
            assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("content", "hint"), [(None, "This user cannot read its cookie file"), (b"x" * 32, "not written by this tor")]
)
def test_a_cookie_that_does_not_open(tmp_path: Path, content: bytes | None, hint: str) -> None:
    path = tmp_path / "control_auth_cookie"
    if content is not None:
        path.write_bytes(content)
    with FakeTor(cookie=path) as fake, pytest.raises(TorError, match="does not let us in") as caught:
        TorControl.connect(ControlAddress(port=fake.port))
    assert hint in caught.value.hint


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.0 501 Tor is not an HTTP Proxy\r\n\r\n", b"\x05\xff"])
def test_what_is_no_control_port_is_called_so(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        with pytest.raises(TorError, match="is none"):
            TorControl.connect(ControlAddress(port=server.getsockname()[1]))
        thread.join()


def test_a_socket_of_somebody_else_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(TorError, match="This user may not use tor's control socket"):
        TorControl.connect(ControlAddress(path="/run/tor/control"))


def test_the_bootstrap_and_the_end_are_told(fake: FakeTor, control: TorControl) -> None:
    fake.bootstrap = 10
    told: queue.Queue[TorStatus] = queue.Queue()
    lost = threading.Event()
    control.watch(told.put, lambda _: None, lost.set)
    assert told.get(timeout=5).percent == 10
    fake.event('STATUS_CLIENT WARN BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="S" WARNING="no way" REASON=TIMEOUT')
    later = told.get(timeout=5)
    assert (later.percent, later.words, later.problem) == (14, "reaching the Tor network", "no way")
    fake.event("STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED")
    fake.event('STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"')
    assert told.get(timeout=5).ready
    assert not lost.is_set()
    fake.drop()
    assert lost.wait(5)


def test_one_that_is_lost_already_says_so(control: TorControl) -> None:
    control.close()
    lost = threading.Event()
    control.watch(lambda _: None, lambda _: None, lost.set)
    assert lost.is_set()


@pytest.mark.parametrize(
    ("listeners", "conf", "found"),
    [
        ('"127.0.0.1:9050"', "SocksPort=9050", ("127.0.0.1", 9050)),
        ('"0.0.0.0:9050"', "SocksPort=0.0.0.0:9050", ("127.0.0.1", 9050)),
        ('"unix:/run/tor/socks" "127.0.0.1:9150"', "SocksPort=9150", ("127.0.0.1", 9150)),
        ('"127.0.0.1:9050"', "SocksPort=127.0.0.1:9050 NoIsolateSOCKSAuth", None),
        ("", "SocksPort=0", None),
    ],
)
def test_the_socks_port(listeners: str, conf: str, found: tuple[str, int] | None) -> None:
    """One that mixes the streams of different users would put two clients on one circuit."""
    with FakeTor(socks=listeners) as fake:
        fake.socks_conf = conf
        control = TorControl.connect(ControlAddress(port=fake.port))
        assert control.socks() == found
        control.close()


def test_circuits(fake: FakeTor, control: TorControl) -> None:
    first, second = "$" + "A" * 40, "$" + "B" * 40
    fake.circuits = (
        f'7 BUILT {first}~guard,{second} PURPOSE=GENERAL SOCKS_USERNAME="who" SOCKS_PASSWORD="what"',
        "8 LAUNCHED PURPOSE=HS_VANGUARDS",
    )
    assert control.circuits() == (
        Circuit("7", "BUILT", "GENERAL", ("guard", "B" * 40), "who", "what"),
        Circuit("8", "LAUNCHED", "HS_VANGUARDS", ()),
    )


def test_a_new_identity_says_when(fake: FakeTor, control: TorControl) -> None:
    assert control.new_identity() == 0.0
    assert 0.0 < control.new_identity() <= 10.0
    assert fake.seen.count("SIGNAL NEWNYM") == 2


def test_onion_services(fake: FakeTor, control: TorControl) -> None:
    published: queue.Queue[str] = queue.Queue()
    control.watch(lambda _: None, published.put, lambda: None)
    made = control.add_onion(80, "127.0.0.1:8080")
    assert (made.address, made.key) == (f"{ONION}.onion", "ED25519-V3:secret")
    fake.event(f"HS_DESC UPLOADED {ONION} UNKNOWN ${'C' * 40}")
    assert published.get(timeout=5) == ONION
    again = control.add_onion(80, "127.0.0.1:8080", made.key)
    assert again == made
    added = [line for line in fake.seen if line.startswith("ADD_ONION")]
    assert added == [
        "ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:8080",
        "ADD_ONION ED25519-V3:secret Port=80,127.0.0.1:8080",
    ]


def test_after_the_end_every_call_says_that_it_was_lost(fake: FakeTor, control: TorControl) -> None:
    lost = threading.Event()
    control.watch(lambda _: None, lambda _: None, lost.set)
    fake.drop()
    assert lost.wait(5)
    for call in (control.circuits, control.socks, control.new_identity, control.take_ownership):
        with pytest.raises(TorError, match="was lost"):
            call()
