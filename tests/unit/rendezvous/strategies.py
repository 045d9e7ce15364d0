"""Messages of a meeting for properties: what two sides may say, and what a broker may make of it."""

from __future__ import annotations

from hypothesis import strategies as st

from mayfly.rendezvous.envelope import Element, Reason, Refusal, Sealed
from mayfly.rendezvous.spake import ELEMENT_SIZE
from support.spoilt import spoilt

_envelopes = (
    st.builds(Element, st.binary(min_size=ELEMENT_SIZE, max_size=ELEMENT_SIZE))
    | st.builds(Sealed, st.binary(min_size=1, max_size=700))
    | st.builds(Refusal, st.sampled_from(Reason))
)

foreign = st.binary(max_size=5000) | spoilt(_envelopes.map(lambda envelope: envelope.encode()))
"""Bytes from somebody else: any, and such as have the form of a message."""
