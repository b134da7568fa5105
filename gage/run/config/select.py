"""Choose the config keys of an operation from its files, and name them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gage.core.values import ConfigValue, format_value, is_same_value
from gage.gagefile.model import ConfigEntry
from gage.run.config.document import Document, Literal
from gage.run.config.errors import ConfigFileError
from gage.run.config.formats import format_name, is_program, load_document
from gage.run.config.keys import KeyRule, parse_key_rule
from gage.run.config.model import GAGE_FILE, ConfigSet, Location

__all__ = ["select_config"]


def select_config(root: Path, entries: tuple[ConfigEntry, ...], files: Iterable[str]) -> ConfigSet:
    """Find the keys that `entries` select in `files`, with their defaults.

    Raises:
        ConfigError: a pattern means nothing.
        ConfigFileError: a file that an entry names in full cannot be read.
    """
    rules = [[parse_key_rule(text) for text in entry.keys] for entry in entries]
    selection = _Selection([rule for entry_rules in rules for rule in entry_rules])
    selection.load(root, list(files))
    for entry, entry_rules in zip(entries, rules, strict=True):
        if entry.keys:
            selection.add_files(entry, [rule for rule in entry_rules if not rule.is_exclude])
        elif entry.name is not None:
            selection.add_name(entry.name, entry)
    return selection.config_set()


class _Selection:
    """The keys selected so far."""

    def __init__(self, rules: list[KeyRule]) -> None:
        self._rules = rules
        self._excludes = [rule for rule in rules if rule.is_exclude]
        self._documents: dict[str, Document] = {}
        self._values: dict[str, ConfigValue] = {}
        self._origin: dict[str, str] = {}
        self._locations: dict[str, tuple[Location, ...]] = {}
        self._entries: dict[str, ConfigEntry] = {}
        self._warnings: list[str] = []

    def load(self, root: Path, files: list[str]) -> None:
        """Read every file that a rule names."""
        for rule in self._rules:
            if rule.is_exclude or rule.file is None:
                continue
            chosen = [path for path in self._named(rule, files) if not self._is_dropped(path)]
            if not chosen:
                self._warnings.append(f"Config pattern {rule.text!r} matches no file of the run")
            for path in chosen:
                if path not in self._documents:
                    self._read(root, path, is_named=path == rule.file_name)

    def add_files(self, entry: ConfigEntry, rules: list[KeyRule]) -> None:
        """Take what the patterns of an entry select."""
        for rule in rules:
            found = [
                (document, key)
                for file, document in self._documents.items()
                if rule.takes_file(file)
                for key in self._keys(document, rule)
            ]
            # A file without config is nothing odd, as a bare script; a key that is not there is.
            if not found and not rule.key.takes_all and any(map(rule.takes_file, self._documents)):
                self._warnings.append(f"Config pattern {rule.text!r} matches no key")
            for document, key in found:
                self._add(entry, document, document.literal(key))

    def add_name(self, name: str, entry: ConfigEntry) -> None:
        """Take a key of the Gage file alone, or what it says of a key that a file has."""
        self._merge_entry(name, entry)
        if name not in self._values:
            self._values[name] = entry.default
            self._origin[name] = GAGE_FILE

    def config_set(self) -> ConfigSet:
        """All of it."""
        for name, places in self._locations.items():
            self._warn_of_differences(name, places)
        return ConfigSet(
            values=self._values,
            origin=self._origin,
            locations=self._locations,
            entries=self._entries,
            documents=self._documents,
            warnings=tuple(dict.fromkeys(self._warnings)),
        )

    def _named(self, rule: KeyRule, files: list[str]) -> list[str]:
        if rule.file_name is not None and rule.file_name in files:
            return [rule.file_name]
        return [path for path in files if format_name(path) and rule.takes_file(path)]

    def _is_dropped(self, path: str) -> bool:
        return any(rule.drops_files and rule.takes_file(path) for rule in self._excludes)

    def _read(self, root: Path, path: str, *, is_named: bool) -> None:
        try:
            self._documents[path] = load_document(path, (root / path).read_bytes())
        except OSError as error:
            raise ConfigFileError(path, error.strerror or str(error)) from None
        except ConfigFileError as error:
            # A program's mistakes are for its interpreter, which may know a newer language.
            if is_named and not is_program(path):
                raise
            self._warnings.append(error.message)

    def _keys(self, document: Document, rule: KeyRule) -> Iterator[str]:
        """The keys that a rule selects in a file, in the file's order."""
        whole = self._whole_lists(document)
        # In a program `_name` is its own business, unless a pattern begins like that, too.
        hides_private = is_program(document.file) and not rule.key.takes_private
        seen: set[str] = set()
        for leaf in document.leaves:
            if hides_private and leaf.startswith("_"):
                continue
            key = next((name for name in whole if leaf.startswith(f"{name}.")), leaf)
            if key not in seen and rule.key.matches(key) and not self._is_excluded(document, key):
                seen.add(key)
                yield key

    def _whole_lists(self, document: Document) -> list[str]:
        """The lists that are one key, because a pattern without `**.` names them."""
        globs = [
            rule.key
            for rule in self._rules
            if not rule.is_exclude and rule.takes_file(document.file)
        ]
        whole = [
            key
            for key in document.lists
            if any(glob.matches(key) for glob in globs if not glob.has_any_levels)
        ]
        return sorted(whole, key=len)

    def _is_excluded(self, document: Document, key: str) -> bool:
        if not self._excludes:
            return False
        names = [key, *(name for name in document.lists if key.startswith(f"{name}."))]
        return any(
            not rule.drops_files and rule.takes_file(document.file) and rule.key.matches(name)
            for rule in self._excludes
            for name in names
        )

    def _add(self, entry: ConfigEntry, document: Document, literal: Literal) -> None:
        if literal.key in document.ambiguous:
            where = f"{document.file}:{document.line_of(literal)}"
            self._warnings.append(f"Two values claim the key {literal.key!r} of {where}; left out")
            return
        name = _name(entry, literal.key)
        place = Location(document.file, literal.key)
        places = self._locations.get(name, ())
        self._locations[name] = places if place in places else (*places, place)
        self._values[name] = literal.value
        self._origin[name] = document.file
        self._merge_entry(name, entry)

    def _merge_entry(self, name: str, entry: ConfigEntry) -> None:
        """Note what an entry says of a key; what it leaves open stays as earlier ones said."""
        known = self._entries.get(name, ConfigEntry())
        self._entries[name] = ConfigEntry(
            default=entry.default if entry.has_default else known.default,
            has_default=entry.has_default or known.has_default,
            description=entry.description or known.description,
            type=entry.type or known.type,
            choices=known.choices if entry.choices is None else entry.choices,
            min=known.min if entry.min is None else entry.min,
            max=known.max if entry.max is None else entry.max,
            required=entry.required or known.required,
            secret=entry.secret or known.secret,
        )

    def _warn_of_differences(self, name: str, places: tuple[Location, ...]) -> None:
        values = [self._documents[place.file].literal(place.key).value for place in places]
        if not all(is_same_value(value, values[-1]) for value in values):
            said = " and ".join(
                f"{format_value(value)} in {place.file}"
                for value, place in zip(values, places, strict=True)
            )
            self._warnings.append(f"Config key {name!r} is {said}; the last one is recorded")


def _name(entry: ConfigEntry, key: str) -> str:
    """What a key of a file is called in the run."""
    name = key.removeprefix(entry.strip_prefix or "")
    name = entry.rename.get(key, entry.rename.get(name, name))
    return (entry.prefix or "") + name
