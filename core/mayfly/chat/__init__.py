"""Chat: the records of its streams, and the room that a process keeps. Sans-IO; core/PROTOCOL.md has the rules."""
