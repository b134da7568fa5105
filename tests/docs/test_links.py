"""Links between pages lead somewhere."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, all_pages, headings, links, page_id


@pytest.mark.parametrize("page", all_pages(), ids=page_id)
def test_links_of_page_lead_somewhere(page: Path) -> None:
    broken = [
        f"{page_id(page)}:{line}: {target}"
        for line, target in links(page)
        if not _found(page, target)
    ]
    assert not broken, "\n".join(broken)


def _found(page: Path, target: str) -> bool:
    if target.startswith(("https://", "http://", "mailto:")):
        return True
    path, _, anchor = target.partition("#")
    to = (page.parent / path).resolve() if path else page
    if not to.exists() or not to.is_relative_to(ROOT):
        return False
    return not anchor or anchor in headings(to)


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        targets = (target.partition("#")[0] for _, target in links(page))
        local = (t for t in targets if t and "://" not in t)
        waiting += [to for t in local if (to := (page.parent / t).resolve()).is_file()]
    docs = {page for page in all_pages() if ROOT / "docs" in page.parents}
    assert docs - reached == set()
