"""Every refusal of a broker has words."""

from __future__ import annotations

import pytest

from mayfly.errors import CodeGoneError, ExitCode
from mayfly.rendezvous.messages import ErrorName
from mayfly.runtime.broker.refusals import PASSING, refusal


@pytest.mark.parametrize("name", ErrorName)
def test_words(name: ErrorName) -> None:
    error = refusal(name, 2.0)
    assert error.code == name.value
    assert error.message.endswith(".") and error.hint.endswith(".")
    assert error.retry_after == 2.0


@pytest.mark.parametrize("name", [ErrorName.NO_SUCH_NAMEPLATE, ErrorName.BURNED, ErrorName.USED])
def test_a_code_that_is_gone_is_a_bad_code_and_does_not_pass(name: ErrorName) -> None:
    error = refusal(name)
    assert isinstance(error, CodeGoneError)
    assert error.exit_code is ExitCode.BAD_CODE
    assert name not in PASSING
