"""What people say folds to one truth, whoever said it where and whatever comes first."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.attributes import (
    BadRecord,
    Record,
    fold_records,
    identifier_url,
    parse_record,
    record_json,
)
from gage.core.ids import is_record_id, new_record_id, record_ms

RUN = "01a1fdc6-5587-7757-a041-dc0feac44857"


def said(op: str, author: str = "ann", *, refs: Sequence[str] = (), **fields: Any) -> Record:
    return Record(new_record_id(), RUN, author, None, op, tuple(refs), fields)


def fold(*records: Record, tags: Sequence[str] = ()) -> Any:
    return fold_records(records, run_id=RUN, start_tags=tags)


def test_the_last_label_counts_and_null_takes_it_away() -> None:
    one, two = said("label", text="one"), said("label", "bob", text="two")
    assert fold().label is None
    assert fold(two, one).label == (*("two", "bob"), two.id)
    assert fold(said("label", text=None), two, one).label.text is None


def test_a_tag_removal_takes_back_only_what_it_names() -> None:
    first, second = said("tag", add=["a", "b"]), said("tag", "bob", add=["a"])
    removal = said("tag", refs=[first.id, RUN], remove=["a"])
    assert [tag.text for tag in fold(first, removal, tags=["a", "c"]).tags] == ["c", "b"]
    folded = fold(first, second, removal, tags=["a"])
    assert [(tag.text, tag.author) for tag in folded.tags] == [("b", "ann"), ("a", "bob")]


def test_a_tag_given_twice_is_one_tag_of_two_additions() -> None:
    first, second = said("tag", add=["a"]), said("tag", "bob", add=["a", "a"])
    [tag] = fold(second, first, tags=["a", "a"]).tags
    assert tag == ("a", None, (RUN, first.id, second.id))


def test_a_removal_and_an_addition_in_one_record_both_hold() -> None:
    first = said("tag", add=["old"])
    swap = said("tag", refs=[first.id], add=["new"], remove=["old"])
    assert [tag.text for tag in fold(swap, first).tags] == ["new"]


def test_the_last_edit_counts_and_an_edit_names_its_author() -> None:
    comment = said("comment", text="first")
    edits = [said("edit", who, refs=[comment.id], text=who) for who in ("ann", "bob")]
    [read] = fold(*reversed(edits), comment).comments
    assert (read.text, read.author, read.edit.author) == ("bob", "ann", "bob")
    assert read.edited_ms == record_ms(edits[1].id) >= read.said_ms


def test_what_is_withdrawn_stays_so_whoever_edits_it() -> None:
    comment, identifier = said("comment", text="x"), said("identifier", text="hf:a/b", role=None)
    gone = said("withdraw", refs=[comment.id, identifier.id])
    edit = said("edit", "bob", refs=[comment.id], text="y")
    assert fold(comment, gone, edit, identifier).comments == ()
    assert fold(comment, gone, edit, identifier).identifiers == ()


def test_an_identifier_keeps_the_last_role_that_was_given() -> None:
    records = [
        said("identifier", text="hf:a/b", role="model"),
        said("identifier", "bob", text="hf:a/b", role=None),
    ]
    [identifier] = fold(*records).identifiers
    assert identifier[:3] == ("hf:a/b", "model", "ann")
    assert identifier.ids == tuple(record.id for record in records)


def test_a_deletion_that_the_restorer_did_not_know_stands() -> None:
    mine, theirs = said("delete"), said("delete", "bob")
    restored = said("restore", refs=[mine.id])
    assert fold(mine, restored).deletions == ()
    assert fold(mine, restored, theirs).deletions == (theirs.id,)


def test_a_restoration_may_carry_an_older_id_than_the_deletion() -> None:
    restored = said("restore")
    deletion = said("delete")
    assert fold(deletion, restored._replace(refs=(deletion.id,))).deletions == ()


def test_the_last_association_counts_and_nulls_end_it() -> None:
    one = said("associate", project="p", namespace="n", project_name="name")
    two = said("associate", project=None, namespace=None, project_name="other")
    assert fold(two, one).association[:3] == (None, None, "other")
    nothing = said("associate", project=None, namespace=None, project_name=None)
    assert fold(one, nothing).association is None
    assert fold().association is None


def test_of_two_records_with_one_id_the_smaller_digest_counts() -> None:
    one = said("label", text="one")._replace(digest="b")
    two = one._replace(fields={"text": "two"}, digest="a")
    assert fold(one, two) == fold(two, one)
    assert fold(one, two).label.text == "two"


@dataclass
class Person:
    """Somebody with a copy of the run, who says things of what stands there."""

    name: str
    ahead_ms: int
    records: dict[str, Record] = field(default_factory=dict)

    def say(self, draw: random.Random, now_ms: int) -> None:
        known = fold(*self.records.values(), tags=["start"])
        op, refs, fields = self._choose(draw, known)
        newest = max(map(record_ms, self.records), default=0)
        record_id = _id_at(max(now_ms + self.ahead_ms, newest + 1), draw)
        self.records[record_id] = Record(record_id, RUN, self.name, None, op, refs, fields)

    def _choose(
        self, draw: random.Random, known: Any
    ) -> tuple[str, tuple[str, ...], dict[Any, Any]]:
        choices: list[Callable[[], tuple[str, tuple[str, ...], dict[Any, Any]]]] = [
            lambda: ("label", (), {"text": draw.choice(["x", "y", None])}),
            lambda: ("tag", (), {"add": [draw.choice("abc")]}),
            lambda: ("comment", (), {"text": draw.choice("pqr")}),
            lambda: ("delete", (), {}),
            lambda: ("restore", known.deletions, {}),
            lambda: ("identifier", (), {"text": draw.choice(["hf:a", "hf:b"]), "role": None}),
        ]
        if known.tags:
            tag = draw.choice(known.tags)
            choices.append(lambda: ("tag", tag.ids, {"remove": [tag.text]}))
        if known.comments:
            comment = draw.choice(known.comments)
            choices.append(lambda: ("edit", (comment.id,), {"text": "edited"}))
            choices.append(lambda: ("withdraw", (comment.id,), {}))
        return draw.choice(choices)()


def _id_at(ms: int, draw: random.Random) -> str:
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = ms << 80 | draw.getrandbits(80)
    return "".join(letters[value >> shift & 31] for shift in range(125, -1, -5))


@given(
    st.integers(0, 2**32),
    st.lists(st.sampled_from(["say", "say", "say", "merge"]), max_size=40),
    st.sampled_from([0, -3_600_000, 3_600_000]),
)
def test_copies_converge_whatever_was_said_where_and_merged_when(
    seed: int, steps: list[str], skew_ms: int
) -> None:
    """Three people, clocks an hour apart, who now and then take over the files of another."""
    draw = random.Random(seed)
    people = [Person("ann", 0), Person("bob", skew_ms), Person("cy", 1)]
    for now_ms, step in enumerate(steps, 1_800_000_000_000):
        person, other = draw.sample(people, 2)
        if step == "say":
            person.say(draw, now_ms)
        else:
            person.records |= other.records
    united = {key: record for person in people for key, record in person.records.items()}
    expected = fold(*united.values(), tags=["start"])
    for _ in range(3):
        shuffled = [*united.values(), *people[0].records.values()]  # duplicates too
        draw.shuffle(shuffled)
        assert fold(*shuffled, tags=["start"]) == expected
    _check_against_the_rules(list(united.values()), expected)


def _check_against_the_rules(records: list[Record], folded: Any) -> None:
    """The rules of the format, each read word for word."""
    withdrawn = {ref for r in records if r.op == "withdraw" for ref in r.refs}
    restored = {ref for r in records if r.op == "restore" for ref in r.refs}
    deleted = {r.id for r in records if r.op == "delete"} - restored
    assert set(folded.deletions) == deleted
    comments = {r.id for r in records if r.op == "comment"} - withdrawn
    assert {comment.id for comment in folded.comments} == comments
    for tag in ("a", "b", "c", "start"):
        added = {r.id for r in records if r.op == "tag" and tag in r.fields.get("add", [])}  # type: ignore[operator]  # lists here
        taken = {
            ref
            for r in records
            if r.op == "tag" and tag in r.fields.get("remove", [])  # type: ignore[operator]  # lists here
            for ref in r.refs
        }
        stands = (added | ({RUN} if tag == "start" else set())) - taken
        assert (tag in [each.text for each in folded.tags]) == bool(stands)
    labels = sorted(r.id for r in records if r.op == "label")
    assert (folded.label.id if folded.label else None) == (labels[-1] if labels else None)


def test_a_record_reads_as_it_was_written() -> None:
    for record in (
        said("tag", refs=["X"], add=["é"], remove=[]),
        said("label", text=None)._replace(email="ann@example.com"),
        said("associate", project="p", namespace=None, project_name=None, later="kept"),
    ):
        assert parse_record(record_json(record)) == record


SOUND = record_json(said("comment", text="x"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"v": 2}, "its format version, 2, is not one this Gage reads"),
        ({"id": "01"}, "its id is none"),
        ({"id": 5}, "it has no id"),
        ({"id": "8" + "0" * 25}, "its id is none"),
        ({"run": None}, "it has no run"),
        ({"author": ""}, "it has no author"),
        ({"op": "shout"}, "what it does, 'shout', is not known to this Gage"),
        ({"refs": "x"}, "its refs is no list of texts"),
        ({"refs": [1]}, "its refs is no list of texts"),
        ({"text": 5}, "it has no text, which comment needs"),
        ({"op": "label", "text": 5}, "it has no text, which label needs"),
        ({"op": "tag", "add": "x"}, "its add is no list of texts"),
    ],
)
def test_a_record_that_cannot_count_says_why(change: dict[str, Any], why: str) -> None:
    with pytest.raises(BadRecord) as caught:
        parse_record({**SOUND, **change})
    assert str(caught.value) == why


def test_what_is_no_object_is_no_record() -> None:
    with pytest.raises(BadRecord, match="it is no record"):
        parse_record([])


def test_identifiers_of_known_schemes_lead_to_pages() -> None:
    assert identifier_url("hf:org/model") == "https://huggingface.co/org/model"
    assert identifier_url("hf:org/d", "dataset") == "https://huggingface.co/datasets/org/d"
    assert identifier_url("hf:datasets/org/d", "dataset").endswith(".co/datasets/org/d")  # type: ignore[union-attr]  # it is known
    assert identifier_url("doi:10.1000/x y") == "https://doi.org/10.1000/x%20y"
    assert identifier_url("https://a.example/b") == "https://a.example/b"
    for text in ("plain", "hf:", "own:x", ""):
        assert identifier_url(text) is None


def test_the_time_of_a_record_id_is_what_it_was_made_with() -> None:
    assert record_ms(new_record_id(after_ms=4_000_000_000_000)) == 4_000_000_000_001
    assert is_record_id(new_record_id(after_ms=2**48))
    assert not is_record_id("x" * 26)
