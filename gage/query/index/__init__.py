"""The index of a runs location: a cache that finds runs without reading them."""
