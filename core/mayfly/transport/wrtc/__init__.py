"""The engine on libwebrtc, by PyPI's `wrtc`: Chromium's own ICE, DTLS and SCTP; the only place that imports it.

Its W3C interface (package `webrtc`) is what this engine stands on, rather than the aiortc-shaped one beside it: that
one needs PyAV, and has no more to give to a data channel. Events come from native threads over a pipe into the event
loop; everything here runs on the loop's thread::

    lacks.py        which options this engine lacks
    options.py      the configuration for those that it has
    connection.py   one peer connection and its channel: gathering, connecting, the words for what failed
    link.py         base.Link: messages, room, the end
    engine.py       the way in
"""
