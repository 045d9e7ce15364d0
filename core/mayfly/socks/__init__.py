"""The server side of SOCKS5, SOCKS4(a) and HTTP CONNECT, sans-IO: bytes in, events and bytes out. Start at `server`."""
