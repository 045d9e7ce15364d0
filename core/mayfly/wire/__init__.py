"""Stateless codecs: varints, frames, addresses, stream headers. No state, no clock, no I/O."""
