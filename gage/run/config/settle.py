"""Work out the value of every config key, and what that changes in the files."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gage.core.secrets import holds_secret, is_secret_name, is_secret_value
from gage.core.values import ConfigValue, flag_text, is_same_value, split_assignment
from gage.gagefile.model import ConfigEntry
from gage.run.config.document import Document
from gage.run.config.edit import Edited, edit_document
from gage.run.config.errors import BatchValue, ConfigFileError, UnknownKey
from gage.run.config.fit import Given, check_value, fit_value
from gage.run.config.formats import format_name, load_document
from gage.run.config.model import GAGE_FILE, ConfigSet, Location, ResolvedConfig

__all__ = ["settle_config", "variable_name"]

_NO_ENTRY = ConfigEntry()


def settle_config(
    config_set: ConfigSet,
    config_file: Path | str | None,
    batch_row: Mapping[str, ConfigValue],
    flags: Sequence[str],
) -> ResolvedConfig:
    """The values that a run is made with; see `resolve_config`."""
    settling = _Settling(config_set)
    settling.give_defaults()
    if config_file is not None:
        settling.give_file(config_file)
    for key, value in batch_row.items():
        settling.give(key, Given("batch", None, value))
    for flag in flags:
        settling.give_flag(flag)
    settling.let_partners_follow()
    settling.check()
    return settling.resolved()


class _Settling:
    """The values so far, and where each came from."""

    def __init__(self, config_set: ConfigSet) -> None:
        self._set = config_set
        self._values = dict(config_set.values)
        self._origin = dict(config_set.origin)
        self._given: set[str] = set()

    def give_defaults(self) -> None:
        """Put the defaults of the Gage file in place of the files' own."""
        for key, entry in self._set.entries.items():
            if entry.has_default:
                default = self._set.values[key] if key in self._set.locations else entry.default
                hides = self._is_secret_name(key)
                given = Given(GAGE_FILE, None, entry.default, is_secret=hides)
                self._values[key] = fit_value(key, given, default, entry.type)
                self._origin[key] = GAGE_FILE
                self._given.add(key)

    def give_file(self, config_file: Path | str) -> None:
        """Take the values of a `--config` file, nested as dotted."""
        name = _shown(config_file)
        try:
            data = Path(config_file).read_bytes()
        except OSError as error:
            hint = "Name a file from the working directory, as in --config values.toml"
            raise ConfigFileError(name, error.strerror or str(error), hint=hint) from None
        if format_name(name) not in ("toml", "yaml", "jsonc"):
            hint = "Name one that ends in .toml, .yaml or .json"
            raise ConfigFileError(name, "not a TOML, YAML or JSON file", hint=hint)
        for key, value in _values_of(load_document(name, data), self._values).items():
            # The name alone: where a file was on this machine is no business of the record.
            self.give(key, Given(f"--config {Path(config_file).name}", None, value))

    def give_flag(self, flag: str) -> None:
        """Take one `KEY=VALUE`."""
        if flag.startswith("@"):
            raise BatchValue(None, flag)
        key, text = split_assignment(flag)
        self.give(key, Given("flag", text))

    def give(self, key: str, given: Given) -> None:
        """Set a key, or one item of a key that holds a list or a map."""
        if key in self._values:
            entry = self._set.entries.get(key, _NO_ENTRY)
            given = given._replace(is_secret=self._is_secret_name(key))
            self._set_value(key, fit_value(key, given, self._default(key), entry.type), given)
            return
        whole = next((name for name in self._values if key.startswith(f"{name}.")), None)
        if whole is None:
            raise self._unknown(key, given.origin)
        path = key[len(whole) + 1 :].split(".")
        hides = self._is_secret_name(whole) or is_secret_name(key)
        given = given._replace(is_secret=hides)
        try:
            value = _with_item(self._values[whole], path, key, given)
        except LookupError:
            raise self._unknown(key, given.origin) from None
        self._set_value(whole, value, given)

    def let_partners_follow(self) -> None:
        """Give the keys that share a literal with a given one its value, unless given one too."""
        names = {place: name for name, places in self._set.locations.items() for place in places}
        for name in tuple(self._given):
            for place in self._set.locations.get(name, ()):
                for partner in self._set.documents[place.file].partners(place.key):
                    follower = names.get(Location(place.file, partner))
                    if follower is not None and follower not in self._given:
                        self._values[follower] = self._values[name]
                        self._origin[follower] = self._origin[name]

    def check(self) -> None:
        """Check every value against what the Gage file says of its key."""
        for key, entry in self._set.entries.items():
            is_secret = self._is_secret_name(key) or holds_secret(self._values[key])
            check_value(key, self._values[key], entry, is_secret=is_secret)

    def resolved(self) -> ResolvedConfig:
        """The result, with the edits it takes."""
        secret = frozenset(filter(self._is_secret, self._values))
        edits = self._edits(secret)
        return ResolvedConfig(
            values=self._values,
            origin=self._origin,
            secret=secret,
            changed=tuple(
                key
                for key, value in self._values.items()
                if not is_same_value(value, self._set.values[key])
            ),
            edits=edits,
            rewrites=self._rewrites(edits),
            masked={file: self._masked(self._set.documents[file]) for file in edits},
            secret_env=self._secret_env(secret),
            warnings=(*self._set.warnings, *self._secret_warnings(secret)),
        )

    def _set_value(self, key: str, value: ConfigValue, given: Given) -> None:
        self._values[key] = value
        self._origin[key] = given.origin
        self._given.add(key)

    def _default(self, key: str) -> ConfigValue:
        """The value whose type counts: the file's, else the Gage file's."""
        value = self._set.values[key]
        return self._set.entries.get(key, _NO_ENTRY).default if value is None else value

    def _unknown(self, key: str, source: str) -> UnknownKey:
        from difflib import get_close_matches

        for file, document in self._set.documents.items():
            if key in document.leaves or key in document.lists:
                hint = f"It is in {file}; add '{file}#{key}' to the operation's config"
                return UnknownKey(key, source, hint=hint)
        near = get_close_matches(key, self._values, 3)
        return UnknownKey(key, source, near, hint=None if near else self._what_is_known())

    def _what_is_known(self) -> str:
        if self._set.warnings:
            return self._set.warnings[0]
        known = ", ".join(list(self._values)[:8])
        return f"Known keys: {known}" if known else "The operation has no config"

    def _is_secret(self, key: str) -> bool:
        entry = self._set.entries.get(key, _NO_ENTRY)
        values = (self._values[key], self._set.values[key])
        names = self._names(key)
        if entry.secret or any(is_secret_value(n, value) for n in names for value in values):
            return True
        # Written into a staged file, the item would be in the record.
        is_written = key in self._given and key in self._set.locations
        return is_written and holds_secret(self._values[key])

    def _is_secret_name(self, key: str) -> bool:
        """Whether no message may show what is given for `key`, fit or not."""
        declared = self._set.entries.get(key, _NO_ENTRY).secret
        return declared or any(map(is_secret_name, self._names(key)))

    def _names(self, key: str) -> set[str]:
        """What the key is called, here and in the files."""
        return {key, *(place.key for place in self._set.locations.get(key, ()))}

    def _edits(self, secret: frozenset[str]) -> dict[str, dict[str, ConfigValue]]:
        edits: dict[str, dict[str, ConfigValue]] = {}
        for key in self._values:
            if key not in self._given or key in secret:
                continue
            for place in self._set.locations.get(key, ()):
                literal = self._set.documents[place.file].literal(place.key)
                if not is_same_value(literal.value, self._values[key]):
                    edits.setdefault(place.file, {})[place.key] = self._values[key]
        return edits

    def _rewrites(self, edits: Mapping[str, Mapping[str, ConfigValue]]) -> dict[str, Edited]:
        documents = self._set.documents
        return {file: edit_document(documents[file], changes) for file, changes in edits.items()}

    def _masked(self, document: Document) -> frozenset[str]:
        """The keys of a file that hold secrets, selected or not."""
        declared = {
            place.key
            for name, places in self._set.locations.items()
            if self._set.entries.get(name, _NO_ENTRY).secret
            for place in places
            if place.file == document.file
        }
        named = {key for key, leaf in document.leaves.items() if is_secret_value(key, leaf.value)}
        return frozenset(declared | named)

    def _secret_env(self, secret: frozenset[str]) -> dict[str, str]:
        return {
            variable_name(key): flag_text(self._values[key])
            for key in sorted(self._given & secret)
            if self._values[key] is not None
        }

    def _secret_warnings(self, secret: frozenset[str]) -> list[str]:
        return [
            f"Config key {key!r} is secret: {self._set.locations[key][0].file} stays as it is,"
            f" and the process gets the value as {variable_name(key)}"
            for key in sorted(self._given & secret)
            if key in self._set.locations
        ]


def variable_name(key: str) -> str:
    """The environment variable that a secret key reaches the process by."""
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in key).upper()


def _shown(path: Path | str) -> str:
    """A path for messages: relative where it is below the working directory."""
    here = os.path.join(os.getcwd(), "")
    full = os.path.abspath(path)
    return full[len(here) :] if full.startswith(here) else str(path)


def _values_of(document: Document, known: Mapping[str, ConfigValue]) -> dict[str, ConfigValue]:
    """The values of a `--config` file: what the run knows as one key is taken as a whole."""
    values: dict[str, ConfigValue] = {}
    for key, leaf in document.leaves.items():
        parts = key.split(".")
        prefixes = [".".join(parts[:count]) for count in range(1, len(parts))]
        whole = None if key in known else next(filter(known.__contains__, prefixes), None)
        if whole is None and key not in known:
            whole = next(filter(document.lists.__contains__, prefixes), None)
        if whole is None:
            values[key] = leaf.value
        else:
            values[whole] = document.value_at(whole)
    return values


def _with_item(whole: ConfigValue, path: list[str], key: str, given: Given) -> ConfigValue:
    """`whole` with one of its items set. Raises LookupError where it has no such item."""
    if not path:
        return fit_value(key, given, whole, None)
    part, rest = path[0], path[1:]
    if isinstance(whole, list) and part.isdecimal() and int(part) < len(whole):
        item = _with_item(whole[int(part)], rest, key, given)
        return [*whole[: int(part)], item, *whole[int(part) + 1 :]]
    if isinstance(whole, dict) and part in whole:
        return {**whole, part: _with_item(whole[part], rest, key, given)}
    raise LookupError(key)
