"""The pages that people read, and what a test can do with one: its blocks, links, headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "TOPICS", "Block", "all_pages", "blocks", "headings", "links", "page_id"]

ROOT = Path(__file__).parents[2]
TOPICS = ROOT / "gage" / "cli" / "topics"

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+|~~~+) *(?P<info>.*)$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(?P<text>.*?)\s*#*$")


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, its lines, and the line number of the first."""

    info: str
    lines: tuple[str, ...]
    line: int

    @property
    def language(self) -> str:
        return self.info.split(" ")[0]

    @property
    def file(self) -> str | None:
        """The name in `file=NAME`: the reader is told to save the block under it."""
        match = re.search(r"\bfile=(\S+)", self.info)
        return match.group(1) if match else None

    @property
    def folder(self) -> str | None:
        """The folder in `in=FOLDER`: the reader is there already."""
        match = re.search(r"\bin=(\S+)", self.info)
        return match.group(1) if match else None


def all_pages() -> list[Path]:
    """Every page of the project: README and its like, docs, examples, help topics."""
    folders = ("docs", "examples", "gage/cli/topics")
    below = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.md"))]
    return [*sorted(ROOT.glob("*.md")), *(p for p in below if ".gage" not in p.parts)]


def page_id(page: Path) -> str:
    """The page's path in the project, for the name of a test."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order, without the indent of their fence."""
    lines = page.read_text("utf-8").splitlines()
    at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        at += 1
        if not opening:
            continue
        indent, fence = len(opening["indent"]), opening["fence"]
        end = next(i for i in range(at, len(lines) + 1) if lines[i].strip() == fence)
        yield Block(opening["info"], tuple(line[indent:] for line in lines[at:end]), at + 1)
        at = end + 1


def _prose(page: Path) -> Iterator[tuple[int, str]]:
    fenced = {n for b in blocks(page) for n in range(b.line, b.line + len(b.lines))}
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if number not in fenced:
            yield number, line


def links(page: Path) -> Iterator[tuple[int, str]]:
    """Line number and target of every link outside blocks and code."""
    for number, line in _prose(page):
        for match in _LINK.finditer(re.sub(r"`[^`]*`", "`code`", line)):
            yield number, match["target"]


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = (_HEADING.match(line) for _, line in _prose(page))
    return {_anchor(match["text"]) for match in found if match}


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")
