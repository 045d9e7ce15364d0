"""What a fuzz test of random bytes alone hardly ever sees: bytes that are nearly right, and some that are right."""

from __future__ import annotations

from hypothesis import strategies as st


def spoilt(valid: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Valid bytes as they are, with one byte changed, or cut short."""

    def changed(data: bytes, at: int, byte: int) -> bytes:
        at %= max(len(data), 1)
        return data[:at] + bytes([byte]) + data[at + 1 :]

    places = st.integers(0, 1 << 16)
    cut = st.builds(lambda data, at: data[: at % (len(data) + 1)], valid, places)
    return valid | st.builds(changed, valid, places, st.integers(0, 255)) | cut


def spoilt_text(valid: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The same of text."""
    return spoilt(valid.map(str.encode)).map(lambda data: data.decode(errors="replace"))
