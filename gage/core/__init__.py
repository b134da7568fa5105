"""Nouns: ids, config values, status, summaries, file rules, errors. All but `dirs` pure."""

__all__: list[str] = []
