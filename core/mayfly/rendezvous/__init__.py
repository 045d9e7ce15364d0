"""What brokers, relays and clients say to each other: the bodies of the broker's HTTP interface. Sans-IO."""
