"""The environment in which tor starts us: each variable, and each way in which one can be wrong."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.pt.environment import ClientSettings, ServerRefused, negotiate, parse, parse_proxy
from mayfly.pt.errors import ProxyError, PtError, VariableError, VersionError

CLIENT = {"TOR_PT_STATE_LOCATION": "/var/lib/tor/pt_state/", "TOR_PT_CLIENT_TRANSPORTS": "obfs4,mayfly"}
SERVER = {"TOR_PT_STATE_LOCATION": "/var/lib/tor/pt_state", "TOR_PT_SERVER_TRANSPORTS": "obfs4,mayfly"}
VARIABLES = sorted({*CLIENT, *SERVER, "TOR_PT_MANAGED_TRANSPORT_VER", "TOR_PT_EXIT_ON_STDIN_CLOSE", "TOR_PT_PROXY"})


def test_a_client() -> None:
    assert parse(CLIENT | {"TOR_PT_EXIT_ON_STDIN_CLOSE": "1"}) == ClientSettings(
        state=PurePath("/var/lib/tor/pt_state"),
        exit_on_stdin_close=True,
        transports=("obfs4", "mayfly"),
        proxy=None,
    )


def test_a_server() -> None:
    assert parse(SERVER) == ServerRefused(("obfs4", "mayfly"))


@pytest.mark.parametrize("offered", ["1", "1,2", "2,1", "1a,this_is_a_valid_ver,1"])
def test_versions_among_which_ours_is(offered: str) -> None:
    assert negotiate({"TOR_PT_MANAGED_TRANSPORT_VER": offered}) == "1"


@pytest.mark.parametrize("offered", ["2", "1a", "11", "1 ", "2,3"])
def test_other_versions_are_no_version(offered: str) -> None:
    with pytest.raises(VersionError, match=r"^no-version$"):
        negotiate({"TOR_PT_MANAGED_TRANSPORT_VER": offered})


@pytest.mark.parametrize("environment", [{}, {"TOR_PT_MANAGED_TRANSPORT_VER": ""}])
def test_no_list_of_versions_is_an_error_of_the_environment(environment: dict[str, str]) -> None:
    with pytest.raises(VariableError, match="TOR_PT_MANAGED_TRANSPORT_VER"):
        negotiate(environment)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no TOR_PT_STATE_LOCATION"),
        ({"TOR_PT_STATE_LOCATION": "/state"}, "neither TOR_PT_CLIENT_TRANSPORTS nor"),
        (CLIENT | SERVER, "both TOR_PT_CLIENT_TRANSPORTS and"),
        (CLIENT | {"TOR_PT_STATE_LOCATION": "pt_state"}, "TOR_PT_STATE_LOCATION is not an absolute path"),
        (CLIENT | {"TOR_PT_EXIT_ON_STDIN_CLOSE": "yes"}, "TOR_PT_EXIT_ON_STDIN_CLOSE"),
        (CLIENT | {"TOR_PT_CLIENT_TRANSPORTS": "may fly"}, "TOR_PT_CLIENT_TRANSPORTS"),
        (CLIENT | {"TOR_PT_CLIENT_TRANSPORTS": "a,,b"}, "TOR_PT_CLIENT_TRANSPORTS"),
        (SERVER | {"TOR_PT_SERVER_TRANSPORTS": "1st"}, "TOR_PT_SERVER_TRANSPORTS"),
    ],
)
def test_a_wrong_environment_is_said_by_the_variable_s_name(environment: dict[str, str], words: str) -> None:
    with pytest.raises(VariableError, match=words):
        parse(environment)


@given(st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=30)))
def test_any_environment_is_read_or_refused_with_words(environment: dict[str, str]) -> None:
    for read in (negotiate, parse):
        try:
            read(environment)
        except PtError as error:
            assert error.message


@given(st.one_of(st.text(), st.from_regex(r"\A(socks5|http)://[\w:@\[\]%.]*\Z")))
def test_any_proxy_is_read_or_refused_with_words(url: str) -> None:
    try:
        assert parse_proxy(url).url == url
    except ProxyError as error:
        assert error.message


@pytest.mark.parametrize(
    "url",
    [
        "socks5://tor:test1234@198.51.100.1:8000",
        "socks4a://198.51.100.2:8001",
        "http://198.51.100.3:443",
        "socks5://[2001:db8::1]:1080",
    ],
)
def test_the_specification_s_proxies(url: str) -> None:
    assert parse_proxy(url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "198.51.100.1:8000",
        "socks5://proxy.example:1080",
        "socks5://198.51.100.1",
        "socks5://198.51.100.1:0",
        "socks5://198.51.100.1:99999",
        "socks4://198.51.100.1:1080",
        "ftp://198.51.100.1:21",
        "http://198.51.100.1:80/path",
        "http://198.51.100.1:80?query",
        "socks4a://user:secret@198.51.100.1:1080",
        f"socks5://{'u' * 256}:secret@198.51.100.1:1080",
    ],
)
def test_other_proxies_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(ProxyError) as raised:
        parse_proxy(url)
    assert "secret" not in str(raised.value)
