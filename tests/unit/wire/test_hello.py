"""HELLO parameters: round trips, unknown keys, refusals, arbitrary bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.wire.frames import HelloFrame
from mayfly.wire.hello import LOWEST_VERSION, MAX_PARAMETERS, MAX_TEXT, VERSION, Hello, Role, Upstream
from mayfly.wire.varint import MAX_VARINT, encode_varint

varints = st.integers(0, MAX_VARINT)
PLAIN = Hello(
    max_message=65536,
    max_data=1 << 21,
    max_stream_data=1 << 18,
    max_streams=1024,
    max_datagram=1200,
    session_id=b"s" * 16,
)
hellos = st.builds(
    Hello,
    max_message=st.integers(1200, MAX_VARINT),
    max_data=varints,
    max_stream_data=varints,
    max_streams=varints,
    max_datagram=varints,
    session_id=st.binary(min_size=16, max_size=16),
    role=st.sampled_from(Role),
    policy=st.text(max_size=60),
    lifetime=st.none() | varints,
    upstream=st.none() | st.sampled_from(Upstream),
)


def parameter(key: int, value: bytes) -> bytes:
    """One parameter as the wire has it."""
    return encode_varint(key) + encode_varint(len(value)) + value


def frame(parameters: bytes, version: int = VERSION, lowest: int = LOWEST_VERSION) -> HelloFrame:
    """A HELLO of any parameters."""
    return HelloFrame(version, lowest, parameters)


def refused(hello: HelloFrame, code: ErrorCode = ErrorCode.TRANSPORT_PARAMETER_ERROR) -> None:
    """It is refused with that code."""
    with pytest.raises(RemoteProtocolError) as caught:
        Hello.decode(hello)
    assert caught.value.code is code


@given(hello=hellos)
def test_round_trip(hello: Hello) -> None:
    assert Hello.decode(hello.encode()) == hello


@given(hello=hellos, key=st.integers(0x0B, MAX_VARINT), value=st.binary(max_size=40))
def test_unknown_keys_are_skipped_wherever_they_stand(hello: Hello, key: int, value: bytes) -> None:
    known = hello.encode().parameters
    assert Hello.decode(frame(known + parameter(key, value))) == hello
    assert Hello.decode(frame(parameter(key, value) + known)) == hello


@given(parameters=st.binary(max_size=300), known=st.booleans(), version=varints, lowest=varints)
def test_any_bytes_give_a_hello_or_a_documented_error(
    parameters: bytes, known: bool, version: int, lowest: int
) -> None:
    hello = frame(PLAIN.encode().parameters + parameters) if known else frame(parameters, version, lowest)
    try:
        decoded = Hello.decode(hello)
    except RemoteProtocolError as error:
        assert error.code in (ErrorCode.TRANSPORT_PARAMETER_ERROR, ErrorCode.VERSION_UNSUPPORTED)
    else:
        assert decoded.max_message >= 1200
        assert len(decoded.policy) <= MAX_TEXT


def test_versions_that_overlap_are_accepted() -> None:
    assert Hello.decode(replace(PLAIN.encode(), version=9)) == PLAIN
    refused(replace(PLAIN.encode(), version=9, lowest_version=VERSION + 1), ErrorCode.VERSION_UNSUPPORTED)
    refused(replace(PLAIN.encode(), version=0, lowest_version=0), ErrorCode.VERSION_UNSUPPORTED)


def test_missing_parameters_have_defaults_but_for_two() -> None:
    least = parameter(1, encode_varint(1200)) + parameter(9, bytes(16))
    assert Hello.decode(frame(least)) == Hello(
        max_message=1200, max_data=0, max_stream_data=0, max_streams=0, max_datagram=0, session_id=bytes(16)
    )
    refused(frame(parameter(9, bytes(16))))
    refused(frame(parameter(1, encode_varint(1200))))
    refused(frame(parameter(1, encode_varint(1199)) + parameter(9, bytes(16))))
    refused(frame(parameter(1, encode_varint(1200)) + parameter(9, bytes(15))))


def test_malformed_parameters_are_refused() -> None:
    good = PLAIN.encode().parameters
    refused(frame(good + parameter(0x50, b"") * 2))  # even an unknown key may stand once
    refused(frame(good + parameter(8, b"")))  # a number without its bytes
    refused(frame(good + parameter(8, b"\x01\x01")))  # a number with more than its bytes
    refused(frame(good + parameter(8, b"\x40")))  # half a number
    refused(frame(good + b"\x08\x09\x01"))  # a length beyond the end
    refused(frame(good + b"\x40"))
    refused(frame(good + parameter(0x50, bytes(MAX_PARAMETERS))))


def test_foreign_values_become_plain_ones() -> None:
    good = PLAIN.encode().parameters.replace(parameter(6, b"\0"), b"")
    assert Hello.decode(frame(good + parameter(6, encode_varint(77)))).role is Role.PEER
    assert Hello.decode(frame(good + parameter(10, encode_varint(77)))).upstream is None
    assert Hello.decode(frame(good + parameter(7, b"\xff\xfe"))).policy == "\ufffd\ufffd"
    assert Hello.decode(frame(good + parameter(7, b"x" * 999))).policy == "x" * MAX_TEXT


def test_our_own_text_is_cut_to_what_is_read() -> None:
    said = replace(PLAIN, policy="ü" * 999)
    assert Hello.decode(said.encode()).policy == "ü" * (MAX_TEXT // 2)
