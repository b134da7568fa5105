"""Config: read it from files, set it by flags, write it back without touching anything else."""

from gage.run.config.apply import apply_config, preview_config
from gage.run.config.errors import BatchValue, ConfigError, UnknownKey
from gage.run.config.model import ConfigSet, Location, ResolvedConfig
from gage.run.config.read import read_config
from gage.run.config.resolve import resolve_config

__all__ = [
    "BatchValue",
    "ConfigError",
    "ConfigSet",
    "Location",
    "ResolvedConfig",
    "UnknownKey",
    "apply_config",
    "preview_config",
    "read_config",
    "resolve_config",
]
