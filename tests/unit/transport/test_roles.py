"""DTLS roles: every combination of what the two users chose."""

from __future__ import annotations

import pytest

from mayfly.errors import ConnectError
from mayfly.signaling.description import Setup
from mayfly.transport.base import DtlsRole
from mayfly.transport.roles import answered_setup, offered_setup, offerer_is_client


@pytest.mark.parametrize(
    ("offerer", "answerer", "client_is_offerer"),
    [
        (DtlsRole.AUTO, DtlsRole.AUTO, False),
        (DtlsRole.AUTO, DtlsRole.CLIENT, False),
        (DtlsRole.AUTO, DtlsRole.SERVER, True),
        (DtlsRole.CLIENT, DtlsRole.AUTO, True),
        (DtlsRole.CLIENT, DtlsRole.SERVER, True),
        (DtlsRole.SERVER, DtlsRole.AUTO, False),
        (DtlsRole.SERVER, DtlsRole.CLIENT, False),
    ],
)
def test_one_end_is_the_client(offerer: DtlsRole, answerer: DtlsRole, client_is_offerer: bool) -> None:
    answered = answered_setup(answerer, offered_setup(offerer))
    assert offerer_is_client(answered) is client_is_offerer


@pytest.mark.parametrize("role", [DtlsRole.CLIENT, DtlsRole.SERVER])
def test_two_ends_that_insist_on_one_role_are_told(role: DtlsRole) -> None:
    with pytest.raises(ConnectError, match="same part in the encryption"):
        answered_setup(role, offered_setup(role))


@pytest.mark.parametrize("preferred", [Setup.ACTIVE, Setup.PASSIVE])
def test_an_engine_decides_what_is_left_to_it(preferred: Setup) -> None:
    assert answered_setup(DtlsRole.AUTO, Setup.ACTPASS, preferred) is preferred
    assert answered_setup(DtlsRole.CLIENT, Setup.ACTPASS, preferred) is Setup.ACTIVE
    assert answered_setup(DtlsRole.AUTO, Setup.ACTIVE, preferred) is Setup.PASSIVE
    assert offered_setup(DtlsRole.AUTO, preferred) is preferred
    assert offered_setup(DtlsRole.SERVER, preferred) is Setup.PASSIVE


def test_an_answer_has_to_decide() -> None:
    with pytest.raises(ConnectError):
        offerer_is_client(Setup.ACTPASS)
