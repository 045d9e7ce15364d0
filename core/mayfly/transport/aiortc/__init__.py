"""The engine on aiortc, assembled from its ORTC objects; the only place that imports aiortc or aioice.

A link is five layers, each of them aiortc's class with a subclass of ours that keeps a hostile far end from doing more
than ending its own link::

    link.py      AiortcLink      base.Link: messages, room, the end
    sctp.py      StockSctp        bounds on reassembly; one channel, negotiated, id 0
    dtls.py      LinkDtls        the fingerprint, and whether it was that which failed; data in batches
    ice.py       LinkConnection  bind addresses, who may send us data, holes kept open
    endpoint.py  UdpEndpoint     the sockets, read and written in batches
    stun.py      StunMappings    what several STUN servers see of our sockets

`records.py` is the one place that calls OpenSSL past pyOpenSSL. `assembly.py` joins them, `gather.py` chooses
addresses, `engine.py` is the way in.
"""
