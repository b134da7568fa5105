"""What a program logs, as a flat row of plain values."""

from collections.abc import Mapping

from gage.core.values import ConfigValue

__all__ = ["flatten_row", "plain_value"]


def flatten_row(row: Mapping[str, object], prefix: str = "") -> dict[str, ConfigValue]:
    """`row` with nested maps flattened with `/` and every value of a kind that can be stored.

    Raises:
        TypeError: a key is no text, or a value is of another kind.
    """
    flat: dict[str, ConfigValue] = {}
    for key, value in row.items():
        if not isinstance(key, str):
            raise TypeError(f"keys must be text, not {type(key).__name__}: {key!r}")
        if isinstance(value, Mapping):
            flat.update(flatten_row(value, f"{prefix}{key}/"))
        else:
            flat[prefix + key] = plain_value(prefix + key, value)
    return flat


def plain_value(key: str, value: object) -> ConfigValue:
    """`value` as plain Python: a number of any library is taken as the number that it is.

    Raises:
        TypeError: it is of a kind that cannot be stored.
    """
    if value is None or isinstance(value, (bool, str)):
        return value if value is None or isinstance(value, bool) else str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {str(name): plain_value(f"{key}/{name}", item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(key, item) for item in value]
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", ()) == ():
        plain = item()
        if isinstance(plain, (bool, int, float, str)):
            return plain
    raise TypeError(f"cannot store '{key}': {type(value).__name__}")
