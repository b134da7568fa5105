"""Versions compare as Python packages do."""

import pytest

from gage.core.versions import matches, version_key

ORDERED = [
    "0.9",
    "1.0.dev1",
    "1.0a1.dev1",
    "1.0a1",
    "1.0b2",
    "1.0rc1",
    "1.0",
    "1.0.post1",
    "1.0.1.dev2",
    "1.0.1",
    "1.1",
    "1.10",
    "2",
]


def test_versions_sort_as_they_were_released() -> None:
    newest_first = ORDERED[::-1]
    assert sorted(newest_first, key=version_key) == ORDERED


@pytest.mark.parametrize("text", ["1.0", "1", "v1.0.0", " 1.0 ", "1.0+local.1"])
def test_spellings_of_one_version_are_equal(text: str) -> None:
    assert version_key(text) == version_key("1.0")


@pytest.mark.parametrize(
    ("version", "specifier"),
    [
        ("1.2", "1.2"),
        ("1.2", "==1.2.0"),
        ("1.2", ">=1, <2"),
        ("1.2.5", "==1.2.*"),
        ("1", "==1.0.*"),
        ("1.3", "!=1.2.*"),
        ("1.2.9", "~=1.2.3"),
        ("1.9", "~=1.2"),
        ("1.0rc1", ">=1.0a1"),
        ("1.0rc1", "<1.0rc2"),
        ("1.0.post1", ">1.0rc1"),
        ("1.0rc1", "<1.0.post1"),
        ("1.0.1", ">1.0"),
        ("0.1.0.dev0", "<=0.1"),
        ("1.0", "===1.0"),
    ],
)
def test_versions_that_match(version: str, specifier: str) -> None:
    assert matches(version, specifier)


@pytest.mark.parametrize(
    ("version", "specifier"),
    [
        ("1.2", "1.3"),
        ("2.0", ">=1,<2"),
        ("1.0rc1", "<1.0"),
        ("1.0.post1", ">1.0"),
        ("1.3", "~=1.2.3"),
        ("1.2.2", "~=1.2.3"),
        ("1.2.1", "!=1.2.*"),
        ("1.0.dev0", ">=1.0"),
    ],
)
def test_versions_that_do_not_match(version: str, specifier: str) -> None:
    assert not matches(version, specifier)


@pytest.mark.parametrize("specifier", ["", ">=", "abc", "=>1", ">=1,", "~=1", "1.x", "<0,abc"])
def test_what_is_no_specifier_is_refused(specifier: str) -> None:
    with pytest.raises(ValueError, match="version"):
        matches("1.0", specifier)
