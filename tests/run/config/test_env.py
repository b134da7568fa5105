"""Config in `.env` files."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import ConfigValue
from gage.run.config.errors import EditError
from tests.run.config.files import edited, values

TEXT = """\
# comment
export LR=0.1 # rate
NAME='a b'
QUOTED="x\\n\\"y\\t\\r\\$z" # c
EMPTY=
SPACED = a b
a line of nonsense
LR=0.2
ON=true
"""


def test_variables_are_read() -> None:
    assert values("dev.env", TEXT) == {
        "NAME": "a b",
        "QUOTED": 'x\n"y\t\r$z',
        "EMPTY": "",
        "SPACED": "a b",
        "LR": 0.2,
        "ON": True,
    }


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("LR", 1e-05, "LR=0.2", "LR=1e-05"),
        ("NAME", "c d", "'a b'", "'c d'"),
        ("NAME", "it's", "'a b'", '"it\'s"'),
        ("QUOTED", 'a "b"\n', '"x\\n\\"y\\t\\r\\$z"', '"a \\"b\\"\\n"'),
        ("QUOTED", "$x", '"x\\n\\"y\\t\\r\\$z"', "'$x'"),
        ("EMPTY", "z", "EMPTY=", "EMPTY=z"),
        ("SPACED", "b c", "a b\na line", '"b c"\na line'),
        ("SPACED", "a/b", "a b\na line", "a/b\na line"),
        ("ON", False, "true", "false"),
    ],
)
def test_a_value_alone_is_replaced(key: str, value: ConfigValue, old: str, new: str) -> None:
    assert edited(".env", TEXT, {key: value}) == TEXT.replace(old, new)


@pytest.mark.parametrize("value", ["it's $5", None, [1], {"a": 1}])
def test_what_no_quotes_protect_is_refused(value: ConfigValue) -> None:
    with pytest.raises(EditError):
        edited(".env.local", TEXT, {"NAME": value})


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["a", "'a'", '"a"']))
def test_any_text_reads_back_or_is_refused(value: str, old: str) -> None:
    try:
        result = edited(".env", f"X={old}\nY=2\n", {"X": value})
    except EditError:
        assert "'" in value or "\r" in value
        return

    assert values(".env", result)["Y"] == 2


@pytest.mark.parametrize("value", ["it's", "a b", "$HOME", "`x`", "a\\b", "#x", "5"])
def test_a_shell_reads_the_same(value: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(edited(".env", "X=a\n", {"X": value}))

    said = subprocess.run(
        ["/bin/sh", "-c", '. ./.env; printf %s "$X"'], cwd=tmp_path, capture_output=True, check=True
    )

    assert said.stdout.decode() == value
