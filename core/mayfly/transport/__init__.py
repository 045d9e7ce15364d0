"""Links and the engines that make them. `base` is the whole contract."""
