"""Meeting at a relay's onion service, sans-IO (core/PROTOCOL.md, "Meeting at an onion service")."""
