"""Gage: run anything, keep everything, find it again."""

TYPE_CHECKING = False  # as in typing, which takes longer to import than all that is here
if TYPE_CHECKING:
    from gage.query.api import RunView, runs

__all__ = ["RunView", "__version__", "runs"]

__version__ = "0.1.0.dev0"

_PUBLIC = {"RunView": "gage.query.api", "runs": "gage.query.api"}


def __getattr__(name: str) -> object:
    try:
        module = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module 'gage' has no attribute {name!r}") from None
    from importlib import import_module

    value = globals()[name] = getattr(import_module(module), name)
    return value
