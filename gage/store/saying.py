"""Saying something of a run: label, tags, comments, identifiers, the project it belongs to.

Each function adds at most one record, and names in it what it takes back, so that what others say
meanwhile stands. See `gage.store.purge` for deleting and restoring.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gage.core.attributes import ROLES, Comment, Record
from gage.core.errors import UsageError
from gage.store.attributes import write_record
from gage.store.errors import StoreError

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.store.run import Run
    from gage.store.users import User

__all__ = [
    "CommentNotFound",
    "add_comment",
    "add_identifier",
    "associate_run",
    "change_tags",
    "edit_comment",
    "find_comment",
    "remove_comment",
    "remove_identifier",
    "set_label",
]

_LONGEST = 10_000  # characters of a label, a tag, an identifier: whatever is longer is a comment


class CommentNotFound(StoreError):
    """No comment of the run has the id that was given, or several have."""

    def __init__(self, run_name: str, ref: str, near: Sequence[str]) -> None:
        shown = ", ".join(near[:5])
        what = (
            f"{len(near)} comments of {run_name} match" if near else f"No comment of {run_name} is"
        )
        hint = f"Give more of the id: {shown}" if near else f"Try 'gage comment {run_name} --list'"
        super().__init__(f"{what} '{ref}'", hint=hint)
        self.ref = ref
        self.near = tuple(near)


def set_label(run: "Run", text: str | None, *, user: "User", sign: bool = True) -> None:
    """Give the run a label in place of the one it has; None takes it away.

    Raises:
        UsageError: the text is empty or too long.
        StoreError: it could not be written.
    """
    if text is not None:
        _check("label", text)
    write_record(run, "label", fields={"text": text}, user=user, sign=sign)


def change_tags(
    run: "Run",
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    *,
    user: "User",
    sign: bool = True,
) -> bool:
    """Add and remove tags; one that is there is not added, one that is not is not removed.

    Returns:
        Whether that changed anything.

    Raises:
        UsageError: a tag is empty or too long, or both added and removed.
        StoreError: it could not be written.
    """
    wanted, unwanted = list(dict.fromkeys(add)), set(remove)
    for tag in wanted:
        _check("tag", tag)
        if tag in unwanted:
            raise UsageError(f"Tag {tag!r} cannot be both added and removed")
    there = {tag.text: tag for tag in run.said.tags}
    gone = [tag for tag in there.values() if tag.text in unwanted]
    fields: dict[str, JsonValue] = {}
    if new := [tag for tag in wanted if tag not in there]:
        fields["add"] = [*new]
    if gone:
        fields["remove"] = [tag.text for tag in gone]
    if not fields:
        return False
    refs = dict.fromkeys(ref for tag in gone for ref in tag.ids)
    write_record(run, "tag", refs=[*refs], fields=fields, user=user, sign=sign)
    return True


def add_comment(run: "Run", text: str, *, user: "User", sign: bool = True) -> Record:
    """Say something of the run, in Markdown.

    Raises:
        UsageError: there is nothing but blanks.
        StoreError: it is too long, no UTF-8, or could not be written.
    """
    _check_said(text)
    return write_record(run, "comment", fields={"text": text}, user=user, sign=sign)


def edit_comment(
    run: "Run", comment: Comment, text: str, *, user: "User", sign: bool = True
) -> None:
    """Put `text` in the place of what a comment says; that it was edited is shown.

    Raises:
        UsageError: there is nothing but blanks.
        StoreError: as for `add_comment`.
    """
    _check_said(text)
    write_record(run, "edit", refs=[comment.id], fields={"text": text}, user=user, sign=sign)


def remove_comment(run: "Run", comment: Comment, *, user: "User", sign: bool = True) -> None:
    """Take a comment back: no list shows it any more. Its record stays."""
    write_record(run, "withdraw", refs=[comment.id], user=user, sign=sign)


def find_comment(run: "Run", ref: str) -> Comment:
    """The one comment whose id begins with `ref`.

    Raises:
        CommentNotFound: there is none, or there are several.
    """
    found = [comment for comment in run.comments() if comment.id.startswith(ref.upper())]
    if len(found) != 1 or not ref:
        raise CommentNotFound(run.name, ref, [comment.id for comment in found] if ref else [])
    return found[0]


def add_identifier(
    run: "Run", text: str, *, role: str | None = None, user: "User", sign: bool = True
) -> bool:
    """Name what the run made, such as `hf:org/model`.

    Args:
        run: the run that made it.
        text: any text; a known scheme is checked.
        role: `model` or `dataset`, if it is said.
        user: who says so.
        sign: False leaves the signature out.

    Returns:
        Whether that is new.

    Raises:
        UsageError: the text is no identifier of its scheme, or the role is unknown.
        StoreError: it could not be written.
    """
    _check("identifier", text)
    _check_scheme(text)
    if role is not None and role not in ROLES:
        raise UsageError(f"Not a role: {role!r}", hint=f"Roles are {' and '.join(ROLES)}")
    if any(each.text == text and role in (None, each.role) for each in run.identifiers):
        return False
    fields: dict[str, JsonValue] = {"text": text, "role": role}
    write_record(run, "identifier", fields=fields, user=user, sign=sign)
    return True


def remove_identifier(run: "Run", text: str, *, user: "User", sign: bool = True) -> None:
    """Take an identifier back.

    Raises:
        StoreError: the run has no such identifier, or it could not be written.
    """
    known = {each.text: each for each in run.identifiers}
    if text not in known:
        shown = ", ".join(list(known)[:5])
        hint = f"It has {shown}" if shown else "It has none"
        raise StoreError(f"Run {run.name} has no identifier {text!r}", hint=hint)
    write_record(run, "withdraw", refs=known[text].ids, user=user, sign=sign)


def associate_run(
    run: "Run",
    *,
    project: str | None,
    namespace: str | None,
    project_name: str | None,
    user: "User",
    sign: bool = True,
) -> None:
    """Tie a run to a project; nothing but None gives it back to its own.

    Raises:
        StoreError: it could not be written.
    """
    fields: dict[str, JsonValue] = {"project": project, "namespace": namespace}
    fields["project_name"] = project_name
    write_record(run, "associate", fields=fields, user=user, sign=sign)


def _check(what: str, text: str) -> None:
    if not text.strip():
        raise UsageError(f"Empty {what}", hint="Write a text")
    if len(text) > _LONGEST:
        raise UsageError(
            f"A {what} of {len(text):,} characters is too long, at most {_LONGEST:,} are kept",
            hint="Try 'gage comment'",
        )


def _check_said(text: str) -> None:
    if not text.strip():
        raise UsageError("Empty comment", hint="Write a text")


_SCHEMES = {
    "arxiv": (r"(\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7})(v\d+)?", "arxiv:1706.03762"),
    "doi": (r"10\.[0-9.]+/\S+", "doi:10.1234/abcd"),
    "github": (r"[^\s/]+/[^\s/]+(/\S*)?", "github:org/repo"),
    "hf": (r"[^\s/]\S*", "hf:org/model"),
    "zenodo": (r"\d+", "zenodo:1234567"),
}
"""Scheme to what follows it, and an example."""


def _check_scheme(text: str) -> None:
    """Refuse what cannot be right in a scheme that we know."""
    import re

    scheme, _, rest = text.partition(":")
    pattern, example = _SCHEMES.get(scheme.lower(), (None, ""))
    if pattern is None:
        return
    if scheme != scheme.lower() or not re.fullmatch(pattern, rest):
        raise UsageError(f"Not an identifier of {scheme}: {text!r}", hint=f"Write it as {example}")
