"""File transfer: the records of a FILE stream, safe names, and the two ends as state machines. Sans-IO.

`sender.Sender` and `receiver.Receiver` are the whole interface. They touch no disk, no clock and no hash: bytes of the
stream go in and come out, requests to the disk come out, and their results go in.
"""
