"""Mayfly: a short-lived proxy relay over WebRTC data channels."""

__version__ = "0.1.0"
