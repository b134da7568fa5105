"""Finding runs: the filter language and the index."""
