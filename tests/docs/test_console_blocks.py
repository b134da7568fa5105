"""Every console block of every page does what the page says."""

import shutil
from pathlib import Path

import pytest

from tests.docs.console import mismatch, run_page, steps
from tests.docs.pages import ROOT, Block, all_pages, blocks, page_id
from tests.project import Project

EXAMPLES = ROOT / "examples"
WITHOUT_RESULTS = shutil.ignore_patterns(".gage", "__pycache__")


def _pages_with_commands() -> list[Path]:
    return [p for p in all_pages() if any(b.language == "console" for b in blocks(p))]


@pytest.mark.parametrize("page", _pages_with_commands(), ids=page_id)
def test_page_does_what_it_says(page: Path, project: Project) -> None:
    """The page of an example starts in a copy of it, a page that enters `examples/` beside one."""
    if EXAMPLES in page.parents:
        shutil.copytree(page.parent, project.dir, dirs_exist_ok=True, ignore=WITHOUT_RESULTS)
    elif "cd examples/" in page.read_text("utf-8"):
        shutil.copytree(EXAMPLES, project.dir / "examples", ignore=WITHOUT_RESULTS)

    wrong = list(run_page(page, project))

    assert not wrong, "\n\n".join(wrong)
    assert project.processes() == []


def test_every_example_has_a_page_with_commands() -> None:
    examples = {path.parent for path in EXAMPLES.glob("*/gage.toml")}
    assert examples == {page.parent for page in _pages_with_commands() if EXAMPLES in page.parents}


def test_dots_stand_for_any_text_and_any_lines() -> None:
    assert mismatch(("run …: ok", "…", "end"), "run x: ok\na\nb\nend\n") is None
    assert mismatch(("…", "end"), "end\n") is None
    assert mismatch((), "") is None


def test_the_first_wrong_line_is_named() -> None:
    assert mismatch(("a", "b"), "a\nc\n") == 1
    assert mismatch(("a",), "a\nmore\n") == 1
    assert mismatch((), "more\n") == 0


def test_commands_go_on_over_lines() -> None:
    lines = (
        "$ cat <<'END'",
        "one",
        "END",
        "one",
        "$ echo a \\",
        "b",
        "a b",
        "$ for x in 1; do",
        "> :; done",
    )
    found = steps(Block("console", lines, 1))
    assert [step.command for step in found] == [
        "cat <<'END'\none\nEND",
        "echo a \\\nb",
        "for x in 1; do\n:; done",
    ]
    assert [step.expected for step in found] == [("one",), ("a b",), ()]


def test_directory_variables_and_files_last(project: Project, tmp_path: Path) -> None:
    page = ROOT / "tests" / "docs" / "page-for-tests.md"
    assert list(run_page(page, project)) == []


def test_wrong_output_and_wrong_status_are_reported(project: Project) -> None:
    wrong = list(run_page(ROOT / "tests" / "docs" / "page-with-faults.md", project))
    assert "page-with-faults.md:4: expected 'two'" in wrong[0]
    assert "exit status 3" in wrong[1]
    assert len(wrong) == 2
