import math
from pathlib import Path

import pytest

from gage.capture import summarydoc
from gage.capture.summarydoc import (
    SummaryDoc,
    SummaryError,
    read_document,
    to_attributes,
    to_summary,
)
from gage.core.values import ConfigValue


def values(document: ConfigValue) -> tuple[dict[str, ConfigValue], dict[str, ConfigValue]]:
    """The metrics and the attributes of a document, without what goes with them."""
    summary = to_summary(document, "summary.json")
    return (
        {name: entry["value"] for name, entry in summary.metrics.items()},
        {name: entry["value"] for name, entry in summary.attributes.items()},
    )


def test_a_table_with_sections_says_what_is_what() -> None:
    document: ConfigValue = {
        "metrics": {"loss": 0.1, "best": None},
        "attributes": {"model": "cnn", "layers": 3, "done": True},
    }

    assert values(document) == (
        {"loss": 0.1, "best": None},
        {"model": "cnn", "layers": 3, "done": True},
    )


def test_a_flat_table_is_sorted_by_kind() -> None:
    document: ConfigValue = {"loss": 0.1, "n": 3, "bad": None, "model": "cnn", "done": True}

    assert values(document) == ({"loss": 0.1, "n": 3, "bad": None}, {"model": "cnn", "done": True})


def test_values_may_have_metadata() -> None:
    summary = to_summary(
        {"metrics": {"loss": {"value": 0.1, "stderr": 0.01, "ref": "x"}}}, "s.json"
    )

    assert summary.metrics == {
        "loss": {"value": 0.1, "stderr": 0.01, "ref": "x", "origin": "s.json"}
    }


def test_nested_tables_become_paths() -> None:
    assert values({"train": {"loss": 0.1, "top": {"1": 0.5}}})[0] == {
        "train/loss": 0.1,
        "train/top/1": 0.5,
    }


def test_attributes_may_be_lists_and_maps() -> None:
    flat: ConfigValue = {"n": 1, "names": ["a", {"b": [1]}], "map": {"value": {"c": 2}}}
    plain: dict[str, ConfigValue] = {"names": ["a", {"b": [1]}], "map": {"c": 2}}

    assert values(flat) == ({"n": 1}, plain)
    assert values({"attributes": {"names": ["a", {"b": [1]}], "map": {"value": {"c": 2}}}}) == (
        {},
        plain,
    )


def test_values_that_only_yaml_knows_are_left_out(tmp_path: Path) -> None:
    rows = ["bytes: !!binary aGk=", "when: [2020-01-02]", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (tmp_path / "s.yaml").write_text("\n".join(rows), encoding="utf-8")

    summary = to_summary(read_document(str(tmp_path / "s.yaml")), "s.yaml")

    assert summary.attributes["when"]["value"] == ["2020-01-02"]
    assert summary.problems[0] == ("'bytes' is neither number, text, boolean, null, list nor table")
    assert set(summary.problems[1:]) == {f"'a{n}' has too many values" for n in range(3, 10)}


def test_a_summary_may_give_a_label() -> None:
    assert to_summary({"run": {"label": "best yet"}}, "s").label == "best yet"
    assert to_summary({"run": {"label": 3}}, "s").label is None
    assert to_summary({"run": "text"}, "s").label is None


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"metrics": {"loss": [1, 2]}}, "'loss' is neither number, text, boolean nor null"),
        (
            {"metrics": {"loss": {"value": {"a": 1}}}},
            "'loss' is neither number, text, boolean nor null",
        ),
        ({"attributes": {"a": [0] * 20_000}}, "'a' has too many values"),
        ({"metrics": {}, "attributes": 3}, "'attributes' is not a table of names and values"),
        ({"metrics": {}, "notes": "x"}, "'notes' is none of metrics, attributes, run"),
    ],
)
def test_parts_that_cannot_be_used_are_named(document: ConfigValue, problem: str) -> None:
    assert to_summary(document, "s").problems == [problem]


def test_a_table_nested_without_end_is_left_out() -> None:
    document: ConfigValue = 1
    for _ in range(50):
        document = {"a": document}

    assert len(to_summary(document, "s").problems) == 1


@pytest.mark.parametrize("document", [[], 3, "text", None])
def test_what_is_no_table_is_an_error(document: ConfigValue) -> None:
    with pytest.raises(SummaryError, match="not a table"):
        to_summary(document, "s")
    with pytest.raises(SummaryError, match="not a table"):
        to_attributes(document, "s", [])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("s.json", '{"loss": 0.1}', {"loss": 0.1}),
        ("s.json", '\ufeff{"loss": 0.1}', {"loss": 0.1}),
        ("s", '{"loss": 0.1}', {"loss": 0.1}),
        ("s.toml", "loss = 0.1\n[a]\nb = 1", {"loss": 0.1, "a": {"b": 1}}),
        ("s.yaml", "loss: 0.1\na:\n  b: 1", {"loss": 0.1, "a": {"b": 1}}),
        ("s.YML", "loss: .inf", {"loss": math.inf}),
    ],
)
def test_files_are_read_by_their_name(
    tmp_path: Path, name: str, text: str, expected: ConfigValue
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert read_document(str(tmp_path / name)) == expected


def test_dates_of_toml_and_yaml_are_text(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("a = 2026-11-20\nb = 10:00:00\n")

    assert values(read_document(str(tmp_path / "s.toml")))[1] == {
        "a": "2026-11-20",
        "b": "10:00:00",
    }


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("s.json", b'{"a": }', "not JSON: Expecting value at line 1, column 7"),
        ("s.json", b"[" * 200_000, "not JSON: nested too deep"),
        ("s.json", b"\xff\xfe", "not UTF-8 text"),
        ("s.json", b"", "not JSON"),
        ("s.toml", b"a = ", "not TOML"),
        ("s.yaml", b"a: [", "not YAML"),
        ("s.yaml", b"a: !!python/object/apply:os.system [x]", "not YAML"),
    ],
)
def test_a_file_that_is_not_readable_says_why(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(SummaryError, match=reason) as raised:
        read_document(str(tmp_path / name))

    assert "\n" not in str(raised.value)


def test_a_file_that_is_gone_or_too_large_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summarydoc, "_FILE_LIMIT_BYTES", 1 << 20)
    (tmp_path / "s.json").write_bytes(b" " * ((1 << 20) + 1))

    with pytest.raises(SummaryError, match="No such file"):
        read_document(str(tmp_path / "none.json"))
    with pytest.raises(SummaryError, match="larger than 1 MB"):
        read_document(str(tmp_path / "s.json"))


def test_an_empty_document_says_nothing() -> None:
    empty = to_summary({}, "s")

    assert vars(empty) == vars(SummaryDoc())
