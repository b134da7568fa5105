"""The project and its Gage file: found, read, checked, turned into operations."""

__all__: list[str] = []
