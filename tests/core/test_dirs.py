"""The user's directories."""

import os
from pathlib import Path

import pytest

from gage.core.dirs import cache_dir, config_dir, home_dir


@pytest.fixture(autouse=True)
def plain_env(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GAGE_CACHE_DIR", "GAGE_CONFIG_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setattr("sys.platform", "linux")


def test_directories_are_below_the_home() -> None:
    assert home_dir() == Path("/home/ann")
    assert cache_dir() == Path("/home/ann/.cache/gage")
    assert config_dir() == Path("/home/ann/.config/gage")


def test_own_variables_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("GAGE_CACHE_DIR", "~/quick")
    monkeypatch.setenv("GAGE_CONFIG_DIR", "set")

    assert cache_dir() == Path("/home/ann/quick")
    assert config_dir() == Path(os.getcwd(), "set")


def test_xdg_variables_are_honoured_when_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")

    assert cache_dir() == Path("/xdg/gage")
    assert config_dir() == Path("/home/ann/.config/gage")


def test_a_mac_keeps_caches_in_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")

    assert cache_dir() == Path("/home/ann/Library/Caches/gage")
    assert config_dir() == Path("/home/ann/.config/gage")
