"""Meeting through a broker, sans-IO: the broker's interface, short codes, and sealed offers and answers."""
