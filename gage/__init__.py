"""Gage: run anything, keep everything, find it again."""

__all__ = ["__version__"]

__version__ = "0.1.0.dev0"
