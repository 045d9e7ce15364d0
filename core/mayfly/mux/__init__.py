"""The multiplexer: ordered, flow-controlled streams over one reliable, unordered channel. Sans-IO.

`multiplexer.Multiplexer` is the whole interface. It holds no socket and no clock: messages go in through
`receive_message`, come out of `messages_to_send`, and every call that needs the time is given it.
"""
