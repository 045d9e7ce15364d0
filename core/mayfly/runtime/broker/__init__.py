"""Meeting through a broker: the HTTP client, the client's side of a match and the relay's."""
