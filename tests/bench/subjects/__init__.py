"""What is measured, each behind the few calls that the families make."""

from __future__ import annotations

TUNNEL, TUNNEL_WRTC, TUNNEL_STOCK = "tunnel aiortc", "tunnel wrtc", "tunnel aiortc-stock"
TUNNEL_UNLIMITED = "tunnel aiortc unlimited"
"""With `--max-rate none`: as it comes, a relay carries 128 MB/s at most."""
STOCK, STOCK_UVLOOP = "stock aiortc", "stock aiortc uvloop"
LINK, RAW_WRTC, NODE = "link aiortc", "raw wrtc", "node-datachannel"
SSH, TCP = "ssh -D", "plain TCP"
