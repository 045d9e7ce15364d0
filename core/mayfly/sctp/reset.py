"""The far end closes its channel: a stream reset (RFC 6525), which is how data channels are closed (RFC 8831 §6.7).

An association has one channel here, so a reset of it is the end. Our own half is reset in the same breath, which is
what lets the far end see its channel closed. Requests that ask for anything else are refused. All numbers follow from
those of the two INITs, so nothing has to be remembered: a request comes again only if it was not carried out.
"""

from __future__ import annotations

from mayfly.sctp.wire import (
    TSN_HALF,
    TSN_MASK,
    OtherRequest,
    OutgoingReset,
    decode_reconfig,
    encode_reset,
    encode_response,
)

_NOTHING_TO_DO = 0
_PERFORMED = 1
_DENIED = 2
_IN_PROGRESS = 6


def answer_reconfig(body: bytes, channel: int, *, received: int, sent: int, own: int) -> tuple[list[bytes], bool]:
    """The chunks that answer a RE-CONFIG, and whether our channel is closed by it. Raises BrokenRuleError.

    `received` and `sent` are the last TSNs each way, `own` the number of our first request, which is our first TSN.
    """
    answers: list[bytes] = []
    for parameter in decode_reconfig(body):
        if isinstance(parameter, OtherRequest):
            answers.append(encode_response(parameter.request, _DENIED))
        elif isinstance(parameter, OutgoingReset):
            if parameter.streams and channel not in parameter.streams:
                answers.append(encode_response(parameter.request, _NOTHING_TO_DO))
            elif (parameter.last_tsn - received - 1) & TSN_MASK < TSN_HALF:
                # Something sent before is still missing; the far end asks again (RFC 6525 §5.2.2 E2).
                answers.append(encode_response(parameter.request, _IN_PROGRESS))
            else:
                answers.append(encode_response(parameter.request, _PERFORMED))
                answers.append(encode_reset(own, parameter.request, sent, channel))
                return answers, True
    return answers, False
