"""Meeting through a broker, sans-IO: short codes, the key that two friends agree on, and sealed offers and answers."""
