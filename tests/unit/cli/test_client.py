"""`mayfly client`: its own options, and where its code comes from."""

from __future__ import annotations

import pytest

from mayfly.runtime.events import CodeReader, Reporter
from mayfly.runtime.shutdown import Shutdown
from mayfly.signaling.description import Kind
from mayfly_cli import terminals
from mayfly_client.options import ClientOptions
from unit.cli import samples
from unit.cli.conftest import Command, FakeProgram, Typing, refused

OFFER = samples.offer().text


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "can_ask", lambda: True)


def chosen(program: FakeProgram) -> ClientOptions:
    assert isinstance(program.last, ClientOptions)
    return program.last


def test_the_defaults_are_the_program_s(mayfly: Command, client_program: FakeProgram) -> None:
    assert mayfly("client", "--stun", "none").exit_code == 0
    options = chosen(client_program)
    assert options == ClientOptions(link=options.link)
    assert options.socks == ("127.0.0.1", 1080)


def test_every_option(mayfly: Command, client_program: FakeProgram) -> None:
    arguments = ("--socks", "[::1]:0", "--socks-auth", "me:se:cret", "--grace", "1m")
    assert mayfly("client", "mf1code", *arguments).exit_code == 0
    options = chosen(client_program)
    assert (options.code, options.socks, options.socks_auth, options.grace) == (
        "mf1code",
        ("::1", 0),
        ("me", "se:cret"),
        60,
    )


def test_the_password_may_come_from_the_environment(
    mayfly: Command, client_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAYFLY_CLIENT_SOCKS_AUTH", "me:secret")
    assert mayfly("client").exit_code == 0
    assert chosen(client_program).socks_auth == ("me", "secret")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--socks", "1080"], "--socks: the value is not HOST:PORT"),
        (["--socks-auth", "s3cret"], "--socks-auth: the value is not USER:PASSWORD"),
        (["--offer", "mf1code"], "--offer and a CODE exclude each other"),
    ],
)
def test_a_wrong_value_is_a_usage_error(
    mayfly: Command, client_program: FakeProgram, arguments: list[str], words: str
) -> None:
    result = mayfly("client", *arguments)
    refused(result, words)
    assert "s3cret" not in result.output
    assert client_program.options == []


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--offer",)])
def test_without_code_and_terminal_it_offers(
    mayfly: Command, client_program: FakeProgram, arguments: tuple[str, ...]
) -> None:
    result = mayfly("client", *arguments)
    assert result.exit_code == 0
    assert chosen(client_program).code is None
    assert result.output == ""


@pytest.mark.usefixtures("on_terminal")
@pytest.mark.parametrize("arguments", [("--json",), ("--offer",)])
def test_nobody_is_asked_who_has_said_it(
    mayfly: Command, client_program: FakeProgram, arguments: tuple[str, ...]
) -> None:
    assert mayfly("client", *arguments).output == ""
    assert chosen(client_program).code is None


@pytest.mark.usefixtures("on_terminal")
def test_a_terminal_is_asked_until_the_code_is_good(
    mayfly: Command, client_program: FakeProgram, type_in: Typing
) -> None:
    expired = samples.offer(samples.PAST).text
    type_in(f"{expired}\nHello! {OFFER} bye\n")
    result = mayfly("client")
    assert result.exit_code == 0
    assert result.stdout.count("press Enter alone to make an offer instead") == 2
    assert "expired" in result.stderr
    assert chosen(client_program).code == f"Hello! {OFFER} bye"


@pytest.mark.usefixtures("on_terminal")
def test_enter_alone_makes_an_offer(mayfly: Command, client_program: FakeProgram, type_in: Typing) -> None:
    type_in("\n")
    assert mayfly("client").exit_code == 0
    assert chosen(client_program).code is None


@pytest.mark.usefixtures("on_terminal")
def test_the_end_of_input_at_the_question_is_an_error(
    mayfly: Command, client_program: FakeProgram, type_in: Typing
) -> None:
    type_in("")
    result = mayfly("client")
    assert result.exit_code == 3
    assert "input ended" in result.stderr
    assert client_program.options == []


def test_a_dash_takes_the_first_line_and_the_next_are_the_program_s(
    mayfly: Command, client_program: FakeProgram, type_in: Typing
) -> None:
    later: list[str] = []

    async def then(_: Reporter, codes: CodeReader, __: Shutdown) -> None:
        later.append(await codes.read(Kind.ANSWER))

    client_program.then = then
    type_in(f"{OFFER}\nsecond\n")
    assert mayfly("client", "-", "--json").exit_code == 0
    assert chosen(client_program).code == OFFER
    assert later == ["second"]


def test_a_dash_joins_a_code_that_a_person_has_broken_over_lines(
    mayfly: Command, client_program: FakeProgram, type_in: Typing
) -> None:
    type_in(f"the code:\n{OFFER[:60]}\n{OFFER[60:]}\n")
    assert mayfly("client", "-").exit_code == 0
    code = chosen(client_program).code
    assert code is not None
    assert "".join(code.split()).endswith(OFFER)
