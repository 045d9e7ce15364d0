"""SCTP for data channels (RFC 9260, RFC 8831), sans-IO: one association with one negotiated channel."""
