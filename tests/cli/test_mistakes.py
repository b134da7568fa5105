"""What is suggested for a word that is not known."""

from gage.cli.mistakes import nearest, option_hint
from gage.cli.options import Command


def test_only_a_likely_slip_is_suggested() -> None:
    assert nearest("limt", ["limit", "list"]) == "limit"
    assert nearest("rusn", ["run", "runs"]) == "runs"
    assert nearest("bogus", ["runs"]) is None


def test_gage_itself_knows_its_own_options() -> None:
    assert option_hint("--hlep", None, ["--hlep"]) == "Did you mean '--help'?"
    assert option_hint("--verison", None, ["--verison"]) == "Did you mean '--version'?"
    assert option_hint("--lr", None, ["--lr"]) is None
    assert option_hint("-x", Command(), ["-x"]) is None


def test_a_value_that_the_words_do_not_show_is_left_open() -> None:
    from gage.cli.run import COMMAND

    assert option_hint("--lr", COMMAND, []) == "Settings are given as lr=VALUE"
    assert option_hint("--set", COMMAND, ["--set", "x"]) == "Settings are given as KEY=VALUE"
    assert option_hint("--text", COMMAND, ["--text", "a b"]) == "Settings are given as 'text=a b'"
