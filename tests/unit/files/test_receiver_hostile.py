"""A sender that says what it likes: the receiver's transfer ends, once, whatever it was."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from mayfly.files import disk as d
from mayfly.files import records as r
from mayfly.files.events import Ended
from mayfly.files.receiver import Receiver
from mayfly.files.records import Reason
from mayfly.files.states import Outcome, Receiving
from unit.files.pair import directory, file, offer_of
from unit.files.strategies import bodies

HASH = b"h" * 32
SMALL = [directory(0, "top"), file(1, "top/a", 10), file(2, "top/b", 0)]
RIGHT: list[r.Record] = [
    offer_of(SMALL),
    *SMALL,
    r.EndOfEntries(),
    r.File(1, 0),
    r.Chunk(b"x" * 10),
    r.FileHash(10, HASH),
    r.File(2, 0),
    r.FileHash(0, HASH),
    r.Finished(),
]


def done(request: d.ReceiveRequest) -> d.ReceiveResult | None:
    """What a disk says on which everything works."""
    match request:
        case d.Prepare():
            return d.Prepared()
        case d.FinishFile():
            return d.FileFinished(request.index)
        case d.Commit():
            return d.Committed()
        case _:
            return None


@given(
    changes=st.lists(st.tuples(st.integers(0, len(RIGHT)), st.none() | bodies | st.sampled_from(RIGHT)), max_size=3),
    tail=st.binary(max_size=20),
    patient=st.booleans(),
)
@example(changes=[], tail=b"", patient=True)
def test_whatever_a_sender_says_ends_the_transfer_at_worst(
    changes: list[tuple[int, r.Record | None]], tail: bytes, patient: bool
) -> None:
    """What would be right, where records are left out or come in between; `patient` waits for the last commit."""
    records = list(RIGHT)
    for at, record in changes:
        records[at : at + (record is None)] = [] if record is None else [record]
    receiver = Receiver()
    for record in records:
        receiver.receive(record.encode())
        receiver.accept()
        for request in receiver.requests():
            result = None if isinstance(request, d.Commit) and not patient else done(request)
            if result is not None:
                receiver.result(result)
    if not changes and patient:
        assert receiver.outcome is Outcome.COMPLETED
    receiver.receive(tail)
    receiver.link_lost()
    if receiver.state is Receiving.COMMITTING:
        receiver.result(d.Failed(Reason.DISK_FAILED))
    assert receiver.over
    assert len([event for event in receiver.events() if isinstance(event, Ended)]) == 1
