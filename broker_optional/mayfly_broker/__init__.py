"""The broker: a meeting point for relays and clients that learns as little as possible."""
