"""The asyncio drivers: a session over a link, its streams, the splice to TCP, meeting by hand."""
