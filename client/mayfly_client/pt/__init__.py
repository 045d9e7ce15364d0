"""A pluggable transport client: tor starts it, and each of tor's bridge lines leads through a relay."""
