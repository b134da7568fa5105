"""Settle the value of every config key: files, then `--config`, then the batch row, then flags."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gage.core.values import ConfigValue
from gage.run.config.model import ConfigSet, ResolvedConfig

__all__ = ["resolve_config"]


def resolve_config(
    config_set: ConfigSet,
    *,
    config_file: Path | str | None = None,
    batch_row: Mapping[str, ConfigValue] | None = None,
    flags: Sequence[str] = (),
) -> ResolvedConfig:
    """The values that a run is made with, and where each came from.

    Args:
        config_set: what `read_config` found.
        config_file: a TOML, YAML or JSON file of values, nested as dotted.
        batch_row: values of one run of a batch.
        flags: `KEY=VALUE` texts; the last one for a key counts.

    Raises:
        UnknownKey: a value was given for a key that the operation does not have.
        ConfigValueError: a value does not fit its key, or a required one is missing.
        BatchValue: a list or range was given for a key that takes one value.
        UsageError: a flag is not `KEY=VALUE`.
    """
    if not (config_set.values or config_set.entries or config_file or batch_row or flags):
        return ResolvedConfig(warnings=config_set.warnings)
    from gage.run.config.settle import settle_config

    return settle_config(config_set, config_file, batch_row or {}, flags)
