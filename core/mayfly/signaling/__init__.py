"""How two peers come to know each other: descriptions, codes, SDP, verification words. Sans-IO."""
