"""Dependencies as text and as tables."""

import pytest

from gage.core.values import JsonValue
from gage.gagefile.depends import dependency_name, dependency_table


@pytest.mark.parametrize(
    ("entry", "table"),
    [
        ("file: data.csv", {"type": "project-files", "path": "data.csv"}),
        ("dir:data", {"type": "project-files", "path": "data"}),
        ("dvcfile: data.csv", {"type": "dvcfile", "path": "data.csv"}),
        ("url: https://x.org/a:b", {"type": "url", "url": "https://x.org/a:b"}),
        ("module: numpy", {"type": "module", "module": "numpy"}),
        ("module: numpy >=1.26", {"type": "module", "module": "numpy", "version": ">=1.26"}),
        ("module: a.b<2", {"type": "module", "module": "a.b", "version": "<2"}),
        ("runs-summary: op=train", {"type": "runs-summary", "runs-select": "op=train"}),
        ("runfiles: op=prepare-data", {"type": "run-files", "operation": "prepare-data"}),
        ("run-files: operation == prepare", {"type": "run-files", "operation": "prepare"}),
        ("runfiles: op=a and loss<1", {"type": "run-files", "run-select": "op=a and loss<1"}),
        ("runfiles: tag=best", {"type": "run-files", "run-select": "tag=best"}),
        ({"type": "file", "path": "a"}, {"type": "project-files", "path": "a"}),
        ({"path": "a"}, {"type": "project-files", "path": "a"}),
        ({"run": "a", "files": "b"}, {"type": "run-files", "run": "a", "files": "b"}),
    ],
)
def test_both_forms_give_one_table(entry: JsonValue, table: dict[str, JsonValue]) -> None:
    assert dependency_table(entry) == table


def test_anything_else_is_refused() -> None:
    with pytest.raises(TypeError, match="a dependency is text or a table, not 3"):
        dependency_table(3)


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("runfiles: op=prepare", "prepare"),
        ({"type": "run-files", "operation": "prepare", "name": "data"}, "data"),
        ({"run-select": "tag=best"}, None),
        ("file: a", None),
    ],
)
def test_the_name_is_the_operation_unless_given(entry: JsonValue, name: str | None) -> None:
    assert dependency_name(dependency_table(entry)) == name
