"""Gage files in YAML."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gage.core.values import JsonValue
from gage.gagefile.errors import GagefileError
from gage.gagefile.places import KeyPath, Place, Places, Repeat

if TYPE_CHECKING:
    from yaml import MappingNode, Mark, Node, ScalarNode, SequenceNode
    from yaml import SafeLoader as _Loader

__all__ = ["parse_yaml"]

# Aliases can make a small file unfold into more values than there is memory.
_MOST_VALUES = 100_000


def parse_yaml(path: Path, text: str) -> tuple[JsonValue, Places]:
    """Parse a Gage file in YAML; dates stay text, keys are always text.

    Returns:
        The value of the file, and where its parts stand.

    Raises:
        GagefileError: the text is not one YAML document of plain values.
    """
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            reader = _Reader(path, loader)
            value = {} if node is None else reader.value(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line, column = _place(error.problem_mark or error.context_mark)
        raise GagefileError(path, _problem(error), line, column) from None
    except yaml.YAMLError as error:
        raise GagefileError(path, str(error).partition("\n")[0]) from None
    except RecursionError:
        raise GagefileError(path, "the values are nested too deeply") from None
    return value, reader.places


def _problem(error: Any) -> str:
    if str(error.problem).startswith("found character '\\t'"):
        return "a tab stands where YAML wants blanks"
    parts = [part for part in (error.context, error.problem) if part]
    return ": ".join(parts).replace("\n", " ")


def _place(mark: "Mark | None") -> Place:
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


class _Reader:
    """Builds plain values from YAML nodes and notes where each stands."""

    def __init__(self, path: Path, loader: "_Loader") -> None:
        self.path = path
        self.loader = loader
        self.places = Places()
        self.count = 0
        self.checked: set[int] = set()

    def value(self, node: "Node", path: KeyPath) -> JsonValue:
        from yaml import MappingNode, SequenceNode

        self.count += 1
        if self.count > _MOST_VALUES:
            raise self._error(node, "the file unfolds into too many values")
        self.places.add_value(path, _place(node.start_mark))
        if isinstance(node, MappingNode):
            return self._table(node, path)
        if isinstance(node, SequenceNode):
            return self._list(node, path)
        return self._scalar(node)  # type: ignore[arg-type]  # the third and last kind of node

    def _list(self, node: "SequenceNode", path: KeyPath) -> JsonValue:
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _table(self, node: "MappingNode", path: KeyPath) -> JsonValue:
        # An anchor's table is visited again by each alias, with merged keys added the first time.
        if id(node) not in self.checked:
            self.checked.add(id(node))
            self._note_repeats(node, path)
        self.loader.flatten_mapping(node)
        table: dict[str, JsonValue] = {}
        for key_node, value_node in node.value:
            key = (*path, self._name(key_node))
            self.places.keys[key] = _place(key_node.start_mark)
            table[str(key[-1])] = self.value(value_node, key)
        return table

    def _note_repeats(self, node: "MappingNode", path: KeyPath) -> None:
        seen: dict[str, Place] = {}
        for key_node, _ in node.value:
            name, place = self._name(key_node), _place(key_node.start_mark)
            if name in seen:
                self.places.repeats.append(Repeat((*path, name), seen[name], place))
            seen.setdefault(name, place)

    def _name(self, node: "Node") -> str:
        from yaml import ScalarNode

        if not isinstance(node, ScalarNode):
            raise self._error(node, "a key must be text")
        # As written: YAML would turn the key `on` into a truth value and `1` into a number.
        return str(node.value)

    def _scalar(self, node: "ScalarNode") -> JsonValue:
        if node.tag == "tag:yaml.org,2002:timestamp":
            return str(node.value)
        try:
            value = self.loader.construct_object(node)
        except ValueError as error:
            raise self._error(node, str(error)) from None
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        kind = node.tag.rpartition(":")[2]
        raise self._error(node, f"a value of the kind '{kind}' has no use here")

    def _error(self, node: "Node", problem: str) -> GagefileError:
        line, column = _place(node.start_mark)
        return GagefileError(self.path, problem, line, column)
