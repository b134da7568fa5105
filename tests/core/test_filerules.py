"""The file-rule language: reading it, and which rule decides."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gage.core.filerules import FileRuleError, RuleSet, Verdict, parse_rule
from gage.core.secret_files import is_secret_file


def judge(rules: list[str], path: str, size: int = 10, *, text: bool = True) -> Verdict:
    return RuleSet(parse_rule(rule) for rule in rules).judge_file(path, size, lambda: text)


def selected(rules: list[str], *paths: str) -> list[str]:
    rule_set = RuleSet(parse_rule(rule) for rule in rules)
    return [path for path in paths if rule_set.judge_file(path, 10, lambda: True).selected]


def test_rule_with_every_word_is_read() -> None:
    rule = parse_rule("  src/*.py text size<10kb size>2 max-matches=500 ")
    assert (rule.include, rule.kind, rule.below, rule.above) == (True, "text", 10_000, 2)
    assert rule.max_matches == 500
    rule = parse_rule("- **/* dir sentinel=bin/activate")
    assert (rule.include, rule.kind, rule.sentinel) == (False, "dir", "bin/activate")


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("'my data/*.csv' text", "my data/a.csv"),
        ('"my data/*.csv"', "my data/a.csv"),
        (r"my\ data/a.csv", "my data/a.csv"),
        (r'"say \"hi\".txt"', 'say "hi".txt'),
        (r"\-odd.py", "-odd.py"),
        ("'-odd.py'", "-odd.py"),
        ('it"\'"s.txt', "it's.txt"),
        (r"it\'s.txt", "it's.txt"),
        (r"a\*b", "a*b"),
        (r"regex:data\.(csv|txt)", "data.csv"),
        (r"regex:data\.(csv|txt)", "data.txt"),
        ("'regex:a b[0-9]+'", "a b12"),
        ("'tab\there'", "tab\there"),
    ],
)
def test_words_are_quoted_as_in_a_shell(rule: str, path: str) -> None:
    assert selected([rule], path) == [path]


def test_expression_matches_the_whole_path() -> None:
    assert selected([r"regex:.*\.py"], "a/b.py", "a/b.pyc") == ["a/b.py"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "it is empty"),
        ("  - ", "it is empty"),
        ("'a", "stands alone"),
        ("a \\", "stands alone"),
        ("/etc/*", "absolute"),
        ("src/**", "write '**/*'"),
        ("regex:(", "the expression is wrong"),
        ("* text binary", "'text' and 'binary' at once"),
        ("* dir text", "'dir' and 'text' at once"),
        ("my file.py", "unknown word 'file.py'"),
        ("* size=5", "unknown word 'size=5'"),
        ("* size<", "'' is no size"),
        ("* size<five", "'five' is no size"),
        ("* size<5 size>9", "no size"),
        ("* max-matches=0", "a number from 1, not '0'"),
        ("* max-matches=x", "a number from 1, not 'x'"),
        ("-* max-matches=3", "rules that include"),
        ("* dir size<5", "not with limits"),
        ("* sentinel=x", "needs 'dir'"),
        ("* dir sentinel=/x", "its sentinel: it is absolute"),
        ("* dir sentinel=**/x", "a sentinel cannot hold"),
    ],
)
def test_rule_that_cannot_be_read_is_named(rule: str, said: str) -> None:
    with pytest.raises(FileRuleError) as caught:
        parse_rule(rule)
    assert caught.value.rule == rule
    assert repr(rule) in caught.value.message
    assert said in caught.value.message


@given(st.text(), st.text())
@example('regex:"' + "a" * 1000, "a")
@example("(((((", "((((( ")
def test_any_text_is_a_rule_or_an_error(rule: str, path: str) -> None:
    with contextlib.suppress(FileRuleError):
        judge([rule], path)


def test_last_rule_that_matches_wins() -> None:
    rules = ["**/*.py", "-data", "data/keep.py"]
    paths = ("a.py", "data/x.py", "data/keep.py", "b.txt")
    assert selected(rules, *paths) == ["a.py", "data/keep.py"]


def test_nothing_matches_means_left_out() -> None:
    assert judge(["*.py"], "a.txt") == Verdict(selected=False, rule=-1)
    assert not judge([], "a.txt").selected


def test_verdict_names_the_rule_that_decided() -> None:
    assert judge(["*", "*.py"], "a.py").rule == 1
    assert judge(["*", "-*.py"], "a.py") == Verdict(selected=False, rule=1)


@pytest.mark.parametrize(
    ("rule", "size", "text", "limit"),
    [
        ("* size<100", 99, True, None),
        ("* size<100", 100, True, "size"),
        ("* size>100", 101, True, None),
        ("* size>100", 100, True, "size"),
        ("* text", 5, True, None),
        ("* text", 5, False, "text"),
        ("* binary", 5, False, None),
        ("* binary", 5, True, "binary"),
        ("* text size<100", 200, True, "size"),
        ("* text size<100", 200, False, "text"),
    ],
)
def test_limit_that_left_a_file_out_is_told(
    rule: str, size: int, text: bool, limit: str | None
) -> None:
    verdict = judge([rule], "a", size, text=text)
    assert verdict.selected is (limit is None)
    assert (verdict.miss and verdict.miss.limit) == limit


def test_limit_is_not_told_where_another_rule_decides() -> None:
    assert judge(["* size<5", "-*.csv"], "a.csv", 10).miss is None
    assert judge(["*", "*.csv size<5"], "a.csv", 10) == Verdict(selected=True, rule=0)
    verdict = judge(["-*.csv", "* size<5"], "a.csv", 10)
    assert verdict == Verdict(selected=False, rule=0)


def test_rule_stops_at_its_max_matches() -> None:
    rules = RuleSet([parse_rule("*.txt"), parse_rule("* max-matches=2")])
    verdicts = [rules.judge_file(path, 1, lambda: True) for path in ("a", "b", "c", "d.txt")]
    assert [verdict.rule for verdict in verdicts] == [1, 1, -1, 0]
    assert verdicts[2].miss is not None
    assert verdicts[2].miss.limit == "max-matches"


def test_text_is_asked_for_only_where_a_rule_needs_it() -> None:
    def never() -> bool:
        raise AssertionError("asked")

    rules = RuleSet([parse_rule("**/*.md text"), parse_rule("**/*.py size<5")])
    assert rules.judge_file("a.py", 1, never).selected
    assert not rules.judge_file("a.txt", 1, never).selected


def test_directory_rules_prune_and_admit_again() -> None:
    rules = RuleSet(
        parse_rule(r) for r in ("**/*.py", "-**/.* dir", ".github dir", "-v dir sentinel=x")
    )
    assert rules.judge_directory(".venv", lambda _: False) == (False, 1)
    assert rules.judge_directory(".github", lambda _: False) == (True, 2)
    assert rules.judge_directory("v", lambda text: text == "x") == (False, 3)
    assert rules.judge_directory("v", lambda _: False) == (True, -1)


def test_directory_that_no_rule_reaches_is_not_entered() -> None:
    rules = RuleSet([parse_rule("src/*.py"), parse_rule("-data/*")])
    assert rules.judge_directory("src", lambda _: False) == (True, -1)
    assert rules.judge_directory("data", lambda _: False) == (False, -1)
    assert RuleSet([parse_rule("regex:x")]).judge_directory("a", lambda _: False) == (True, -1)


def test_rules_know_what_they_name() -> None:
    rules = RuleSet(
        parse_rule(r) for r in ("**/*", ".venv/x.py", "env dir", "regex:z", "-y/a", "*/* dir")
    )
    named = [rules.names_directory(path) for path in (".venv", "env", "src", "y")]
    assert named == [True, True, False, False]
    rules = RuleSet(
        parse_rule(r) for r in ("**/*", "certs/*.pem", "regex:.env", ".env.ci", "-id_rsa")
    )
    paths = ("certs/a.pem", "a.pem", ".env", ".env.ci", "id_rsa")
    named = [rules.names_file(path, is_secret_file) for path in paths]
    assert named == [True, False, False, True, False]


def test_rules_know_whether_they_select_files() -> None:
    assert RuleSet([parse_rule("*")]).selects_files
    assert not RuleSet([parse_rule("-*"), parse_rule("x dir")]).selects_files
