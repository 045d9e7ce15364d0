"""The volunteer's side: exit policy, the way out to the network, limits, and what is done for each client."""
