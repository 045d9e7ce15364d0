"""Records of every kind, for tests that draw them."""

from __future__ import annotations

from hypothesis import strategies as st

from mayfly.files import records as r
from mayfly.wire.varint import MAX_VARINT

numbers = st.integers(0, 300) | st.integers(0, MAX_VARINT - 1)
digests = st.binary(min_size=r.HASH_SIZE, max_size=r.HASH_SIZE)
ids = st.binary(min_size=r.ID_SIZE, max_size=r.ID_SIZE)
reasons = st.sampled_from(r.Reason)
sizes = st.none() | numbers
times = st.integers(-(1 << 63), (1 << 63) - 1)
paths = st.lists(st.text(max_size=12), min_size=1, max_size=5).map(tuple)


def _entry(kind: r.EntryType) -> st.SearchStrategy[r.Entry]:
    size = sizes if kind is r.EntryType.FILE else st.just(0)
    target = st.text(min_size=1, max_size=12) if kind is r.EntryType.SYMLINK else st.just("")
    return st.builds(r.Entry, numbers, paths, st.just(kind), size, times, st.booleans(), target)


entries = st.one_of([_entry(kind) for kind in r.EntryType])
offers = st.builds(r.Offer, ids, st.sampled_from(r.Kind), st.text(max_size=40), sizes, st.integers(1, MAX_VARINT))
wants = st.builds(r.Want, numbers.filter(bool), numbers.filter(bool), digests) | st.builds(r.Want, numbers)
bodies = st.one_of(
    offers,
    entries,
    wants,
    st.builds(r.File, numbers, numbers),
    st.builds(r.ChunkHash, digests),
    st.builds(r.FileHash, numbers, digests),
    st.builds(r.Decline, reasons),
    st.builds(r.Skip, numbers),
    st.builds(r.OnDisk, numbers, numbers),
    st.builds(r.Done, numbers),
    st.builds(r.Cancel, reasons),
    st.sampled_from(
        [r.EndOfEntries(), r.Finished(), r.Accept(), r.Completed(), r.Pause(), r.Resume()],
    ),
)
"""Every record but CHUNK."""
