"""The filter language: text to tree, tree to SQL over the index."""
