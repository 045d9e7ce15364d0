"""The censored side: a local SOCKS5 and HTTP CONNECT proxy whose streams go through a relay."""
