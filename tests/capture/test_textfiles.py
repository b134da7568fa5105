"""Text is told from binary by name, else by the first kilobyte."""

from pathlib import Path

import pytest

from gage.capture.textfiles import is_text, text_by_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, True) for name in ("a.py", "A.PY", "Makefile", "LICENSE", ".gitignore", "b.yml")],
        *[(name, False) for name in ("a.png", "model.PT", "x.npz", "lib.so", "a.tar.gz")],
        *[(name, None) for name in ("a", "a.dat", ".hidden", "a.", "log.1")],
    ],
)
def test_name_decides_where_it_can(name: str, expected: bool | None) -> None:
    assert text_by_name(name) is expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", True),
        (b"plain\n", True),
        ("Grüße, 世界\n".encode(), True),
        ("é".encode() * 600, True),  # the sample ends inside a character
        (b"x" + "世".encode() * 600, True),
        ("Größe: 5 m\n".encode("latin-1"), True),
        ("text".encode("utf-16"), True),
        (b"\x1b[31mred\x1b[0m\n", True),
        (b"\x00\x01\x02", False),
        (b"PK\x03\x04" + bytes(range(1, 32)) * 4, False),
        (bytes(range(128, 256)) * 4, False),
        (b"ok" * 300 + "é".encode()[:1], True),
    ],
)
def test_sample_decides_where_the_name_cannot(
    tmp_path: Path, content: bytes, expected: bool
) -> None:
    path = tmp_path / "data"
    path.write_bytes(content)
    assert is_text(str(path), "data", len(content)) is expected


def test_file_whose_name_decides_is_not_read(tmp_path: Path) -> None:
    assert is_text(str(tmp_path / "missing.py"), "missing.py", 5)
