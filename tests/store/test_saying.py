"""Saying something of a run: each word is one record, and takes back only what it names."""

import pytest

from gage.core.errors import UsageError
from gage.store.attributes import read_records
from gage.store.errors import StoreError
from gage.store.runs import Run, Runs
from gage.store.saying import (
    CommentNotFound,
    add_comment,
    add_identifier,
    associate_run,
    change_tags,
    edit_comment,
    find_comment,
    remove_comment,
    remove_identifier,
    set_label,
)
from gage.store.users import User
from tests.store.conftest import finished

ANN, BOB = User("Ann"), User("Bob")


@pytest.fixture
def run(runs: Runs) -> Run:
    return finished(runs)


def count(run: Run) -> int:
    return len(read_records(run.user_dir))


def test_a_label_is_set_and_taken_away(run: Run) -> None:
    set_label(run, "first", user=ANN)
    set_label(run, "second", user=BOB)
    assert Run(run.dir).label == "second"
    set_label(run, None, user=ANN)
    assert (Run(run.dir).label, count(run)) == (None, 3)


def test_tags_are_swapped_in_one_record(run: Run) -> None:
    assert change_tags(run, ["a", "b", "a"], user=ANN)
    assert change_tags(run, ["c", "a"], ["b", "unknown"], user=BOB)
    assert (run.tags, count(run)) == (["a", "c"], 2)


def test_tags_that_are_so_already_write_nothing(run: Run) -> None:
    change_tags(run, ["a"], user=ANN)
    assert not change_tags(run, ["a"], ["b"], user=ANN)
    assert count(run) == 1


def test_what_makes_no_sense_is_refused_and_writes_nothing(run: Run) -> None:
    with pytest.raises(UsageError, match="both added and removed"):
        change_tags(run, ["a"], ["a"], user=ANN)
    with pytest.raises(UsageError, match="Empty tag"):
        change_tags(run, ["  "], user=ANN)
    with pytest.raises(UsageError, match="Empty label"):
        set_label(run, "", user=ANN)
    with pytest.raises(UsageError, match="10,001 characters is too long"):
        set_label(run, "x" * 10_001, user=ANN)
    with pytest.raises(UsageError, match="Empty comment"):
        add_comment(run, "\n", user=ANN)
    with pytest.raises(UsageError, match="Not a role"):
        add_identifier(run, "x", role="paper", user=ANN)
    assert not run.user_dir.exists()


def test_a_comment_is_edited_and_taken_back(run: Run) -> None:
    first = add_comment(run, "first", user=ANN)
    add_comment(run, "second", user=BOB)
    comment = find_comment(run, first.id[:20].lower())
    edit_comment(run, comment, "better", user=BOB)
    assert [each.text for each in run.comments()] == ["better", "second"]
    with pytest.raises(UsageError):
        edit_comment(run, comment, "", user=BOB)
    remove_comment(run, comment, user=ANN)
    assert [each.text for each in run.comments()] == ["second"]


def test_a_comment_is_named_by_the_beginning_of_its_id(run: Run) -> None:
    ids = [add_comment(run, "x", user=ANN).id for _ in range(2)]
    with pytest.raises(CommentNotFound, match=r"2 comments of .* match '0'") as caught:
        find_comment(run, "0")
    assert caught.value.near == tuple(ids)
    for ref in ("X", ""):
        with pytest.raises(CommentNotFound, match="No comment"):
            find_comment(run, ref)


def test_an_identifier_is_given_once_and_taken_back_whole(run: Run) -> None:
    assert add_identifier(run, "hf:org/model", role="model", user=ANN)
    assert not add_identifier(run, "hf:org/model", user=BOB)
    assert add_identifier(run, "hf:org/model", role="dataset", user=BOB)
    [identifier] = run.identifiers
    assert (identifier.role, len(identifier.ids)) == ("dataset", 2)
    remove_identifier(run, "hf:org/model", user=ANN)
    assert run.identifiers == []
    with pytest.raises(StoreError, match="has no identifier"):
        remove_identifier(run, "hf:org/model", user=ANN)


@pytest.mark.parametrize(
    "text",
    [
        *("doi:11.1/x", "doi:10.1000", "doi:", "DOI:10.1/x", "hf:a b", "hf:", "hf:/x"),
        *("arxiv: x", "arxiv:attention", "arxiv:1706", "github:repo", "zenodo:record"),
    ],
)
def test_what_cannot_be_right_in_a_known_scheme_is_refused(run: Run, text: str) -> None:
    with pytest.raises(UsageError, match="Not an identifier of"):
        add_identifier(run, text, user=ANN)


@pytest.mark.parametrize(
    "text",
    [
        *("doi:10.1/x", "hf:gpt2", "hf:datasets/a/b", "arxiv:1706.03762v7", "arxiv:hep-th/9901001"),
        *("arxiv:math.GT/0309136", "github:a/b", "github:a/b/tree/main", "zenodo:1234"),
        *("own:any thing", "a name", "https://a.b"),
    ],
)
def test_any_other_text_is_an_identifier(run: Run, text: str) -> None:
    add_identifier(run, text, user=ANN)
    assert [each.text for each in run.identifiers] == [text]


def test_a_run_is_tied_to_a_project_and_given_back(runs: Runs) -> None:
    with runs.create({"namespace": "own", "project": "p0", "project_name": "mine"}) as made:
        pass
    run = runs.get(made.id)
    associate_run(run, project="p1", namespace="n", project_name=None, user=ANN)
    assert (run.project, run.namespace, run.project_name) == ("p1", "n", None)
    associate_run(run, project=None, namespace=None, project_name=None, user=ANN)
    assert (run.project, run.namespace, run.project_name) == ("p0", "own", "mine")
