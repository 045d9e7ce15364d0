"""Tor's side of things, sans-IO: the pluggable transport protocol (pt-spec, version 1) and the extended ORPort."""
