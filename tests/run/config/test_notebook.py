"""Config in notebooks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import ConfigValue
from gage.run.config.errors import ConfigFileError
from tests.run.config.files import edited, read, values

CELLS: list[dict[str, object]] = [
    {"cell_type": "markdown", "source": "lr = 9"},
    {
        "cell_type": "code",
        "source": [
            "%matplotlib inline\n",
            "lr = 0.1  # é\n",
            'msg = """a\n',
            'b"""\n',
            "files = !ls\n",
            "!pip install \\\n",
            "  foo\n",
            "if lr:\n",
            "    %magic\n",
            "help?\n",
            "?help\n",
            "layers = [1,\n",
            "  2]",
        ],
    },
    {"cell_type": "code", "source": "%%time\nn = 5\na = b = 1"},
    {"cell_type": "code", "source": "%%bash\nn = 6"},
    {"cell_type": "code", "source": "broken ("},
    {"cell_type": "code", "source": "mixed = [f(), 4]"},
    {"cell_type": "code", "source": "%%capture\nbroken ("},
    {"cell_type": "code"},
    {"cell_type": "code", "source": "lr = 0.3; s='\\u00e9\\t\"😀/'"},
]


def notebook(cells: list[dict[str, object]] | None = None, **more: object) -> str:
    return json.dumps(
        {"cells": CELLS if cells is None else cells, "metadata": {}, **more}, indent=1
    )


def code(text: str) -> list[str]:
    found = []
    for cell in json.loads(text)["cells"]:
        source = cell.get("source", "")
        found.append(source if isinstance(source, str) else "".join(source))
    return found


def test_code_cells_are_read_as_python() -> None:
    assert values("a.ipynb", notebook()) == {
        "msg": "a\nb",
        "layers.0": 1,
        "layers.1": 2,
        "n": 5,
        "a": 1,
        "b": 1,
        "mixed.1": 4,
        "lr": 0.3,
        "s": 'é\t"😀/',
    }


@pytest.mark.parametrize(
    ("key", "value", "cell", "old", "new"),
    [
        ("lr", 0.5, 8, "0.3", "0.5"),
        ("mixed.1", 5, 5, "4", "5"),
        ("n", 6, 2, "n = 5", "n = 6"),
        ("b", 2, 2, "a = b = 1", "a = b = 2"),
        ("s", "ü'", 8, "'\\u00e9\\t\"😀/'", "'ü\\''"),
        ("msg", 'c\n"d', 1, '"""a\nb"""', '"""c\n"d"""'),
        ("layers", [1, 3], 1, "  2]", "  3]"),
        ("layers", [7], 1, "[1,\n  2]", "[7]"),
    ],
)
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_only_the_literal_changes(
    key: str, value: ConfigValue, cell: int, old: str, new: str, ensure_ascii: bool
) -> None:
    text = json.dumps({"cells": CELLS, "nbformat": 4}, ensure_ascii=ensure_ascii, indent=2)

    result = edited("a.ipynb", text, {key: value})

    expected = code(text)
    assert old in expected[cell]
    expected[cell] = expected[cell].replace(old, new)
    assert code(result) == expected
    assert result.isascii() == ensure_ascii


def test_the_rest_of_the_bytes_stay() -> None:
    source = '"x\\u0020= 1\\n\\u0079 = 2"'
    text = f'{{"cells" : [ {{"source":{source},"cell_type":"code","outputs":[1.0]}} ]}}\r\n'

    assert edited("a.ipynb", text, {"x": 10, "y": 20}) == text.replace("= 1", "= 10").replace(
        "= 2", "= 20"
    )


def test_a_magic_inside_a_text_hides_that_text_only() -> None:
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "source": '%time\nx = """\n%not magic\n"""\ny = 1'}
    ]

    assert values("a.ipynb", notebook(cells)) == {"y": 1}


@pytest.mark.parametrize(
    "metadata",
    [{"kernelspec": {"language": "R"}}, {"language_info": {"name": "julia"}}],
)
def test_a_notebook_of_another_language_has_no_config(metadata: object) -> None:
    assert values("a.ipynb", notebook(metadata=metadata)) == {}


def test_a_notebook_says_that_it_is_python() -> None:
    metadata = {"kernelspec": {"name": "x"}, "language_info": {"name": "python"}}

    assert values("a.ipynb", notebook(metadata=metadata))["n"] == 5
    assert values("a.ipynb", '{"cells": [{"cell_type": "code", "source": "n = 1"}]}') == {"n": 1}
    assert values("a.ipynb", '{"cells": [3, {"cell_type": "code", "source": 5}]}') == {}


@pytest.mark.parametrize("text", ["{}", '{"worksheets": []}', '{"cells": 1}', "[]", "x"])
def test_what_is_no_notebook_is_said(text: str) -> None:
    with pytest.raises(ConfigFileError, match=r"a\.ipynb"):
        read("a.ipynb", text)


@given(st.text())
def test_any_text_reads_back(value: str) -> None:
    result = edited("a.ipynb", notebook(), {"s": value})

    assert values("a.ipynb", result)["s"] == value
