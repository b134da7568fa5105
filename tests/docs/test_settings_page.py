"""The page of settings says what the table of settings says."""

import re

import pytest

from gage.core.settings import SETTINGS
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
ROWS = {name: row.split("|") for name, row in re.findall(r"^\| `([a-z.-]+)` \|(.*)\|$", PAGE, re.M)}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_stands_in_the_page_as_it_is(name: str) -> None:
    setting = SETTINGS[name]
    kind, default, variable, text, in_project = map(str.strip, ROWS[name])

    shown = [f"`${fallback}`" for fallback in setting.fallbacks]
    shown += [f"`{setting.default}`"] if setting.default else []
    assert (kind, variable) == (setting.kind, f"`{setting.variable}`")
    assert default == ", ".join(shown)
    assert in_project == ("yes" if setting.in_project else "no")
    assert all(f"`{choice}`" in text for choice in setting.choices)


def test_the_page_names_no_setting_that_is_not_there() -> None:
    assert list(ROWS) == list(SETTINGS)
