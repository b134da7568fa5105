"""The plain parser and Typer read a command line alike."""

import inspect

import pytest

from gage.cli.commands import ALIASES, COMMANDS, load_command
from gage.cli.group import parse_with_typer
from gage.cli.options import Command, Option
from gage.cli.parse import Parsed, checked_values, parse_plain
from gage.core.errors import UsageError

PLAIN = """
    runs
    list
    ls -a
    ops --json
    runs -n 5
    runs -n5
    runs -n=5
    runs --limit 5
    runs --limit=5
    runs --limit=
    runs -mm --more
    runs -m -m --json
    runs --runs /elsewhere -a
    -C somewhere runs
    -C one -C two runs -n 3 -n 4
    run
    run train
    run train lr=0.1 -y
    run -y train lr=0.1 x=-1
    run -qy train
    run -ql text train
    run -qltext train
    run -l=text train
    run --label=a=b --tag one --tag=two --attr k=v --attr=x=1 train
    run train --label -y
    run -- train -x --json
    run train -- -y --
    run train - lr=1
    run --start kafom-fikud
    run --timeout 2h --retries 3 train.py
    run --help-op train
    run train --config c.toml --preview --json --runs=/r
    show
    show 1 --json
    show --output 1
    show -c
    cat 1 train.py
    cat --meta 1 run.json
    cat 1 --output run
    stop 1 2 kafom
    stop --where status=running
    runs 1:5 --where loss<1 -s -loss,started --columns +lr --since 7d
    select --min loss --dir
    stop 1:3
    stop -2:
    stop :-4 -3:-1 1
    stop --runs /r -- -2:
    show -2:
    run --label -2: train
    files kafom-fikud --json
    open 1 --cmd ls
    open -c 'ls' -p sub 1
    watch
    check --version >=0.1
    check --schema
    init
    init train dir
    init --list
    help
    help run
    id
    id 1
    id hf:org/model --where x
    id 1 2 hf:org/model --model
    id 1:3 -2: doi:10.1/x
    associate 1 2 ../other -y
    tag 1 2 --add a --add=b --remove c
    comment 1 -m text
    comment 1 -m -
    label --set x
"""
"""Command lines without a mistake, which never load Typer."""

MISTAKES = """
    bogus
    -- --bogus
    runz
    --bogus runs
    runs --bogus
    runs --limt 3
    runs -x
    runs -ax
    runs -n
    runs --limit
    runs --json=1
    show 1 extra
    cat
    cat
    cat 1 2 3
    run --label
    run -lq --tag
    run -lr=0.2
    run train.py -lr=0.2 -y
    run train.py -qlr=0.2
    run train.py -epochs=3
    run train -opt.lr=1
    run train --lr 0.1
    stop -2
    stop -2x:
    -C
    -C x bogus
"""
HELP = ("--help", "-h", "runs --help", "run -h", "run train --help", "-C x runs --help")


def words(line: str) -> list[str]:
    return [word.strip("'") for word in line.split()]


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("line", lines(PLAIN))
def test_both_parsers_read_a_plain_line_alike(line: str) -> None:
    plain = parse_plain(words(line))

    assert plain is not None
    assert plain == parse_with_typer(words(line))


@pytest.mark.parametrize("line", lines(MISTAKES))
def test_a_mistake_is_left_to_typer(line: str) -> None:
    assert parse_plain(words(line)) is None
    with pytest.raises(UsageError) as caught:
        parse_with_typer(words(line))

    assert not caught.value.message.endswith(".")
    assert caught.value.hint


@pytest.mark.parametrize("line", HELP)
def test_help_is_left_to_typer(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_plain(words(line)) is None
    assert parse_with_typer(words(line)) == 0
    assert "USAGE" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["--version", "-V", "-C x --version"])
def test_the_version_is_understood_after_other_options(line: str) -> None:
    parsed = parse_with_typer(words(line))

    assert isinstance(parsed, Parsed)
    assert parsed.name is None
    assert parsed.values == {"version": True}


def test_no_words_at_all_name_no_command() -> None:
    assert parse_plain([]) == Parsed(None, (), {})
    assert parse_plain(["-C", "x"]) == Parsed(None, ("x",), {})


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_every_option_by_name(name: str) -> None:
    module = load_command(name)
    command: Command = module.COMMAND
    stated = {option.dest for option in command.options}
    stated |= {argument.dest for argument in command.arguments}

    taken = module.run.__kwdefaults__ or {}
    names = module.run.__code__.co_varnames[: module.run.__code__.co_kwonlyargcount]
    named = set(names) | set(taken)
    # A command with a flag for each of many sections takes these as `**chosen`.
    takes_more = bool(module.run.__code__.co_flags & inspect.CO_VARKEYWORDS)
    assert named <= stated if takes_more else named == stated
    assert module.run.__code__.co_argcount == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_no_two_options_of_a_command_are_spelled_alike(name: str) -> None:
    spelled = [name for option in load_command(name).COMMAND.options for name in option.names]

    assert len(spelled) == len(set(spelled))
    assert not {"-h", "--help", "-C", "-V"}.intersection(spelled)


def exclusive_pairs() -> list[tuple[str, str, str]]:
    found = []
    for name in COMMANDS:
        command: Command = load_command(name).COMMAND
        for group in command.exclusive:
            found += [(name, one, two) for one in group for two in group if one != two]
    return found


def given(command: Command, dest: str) -> list[str]:
    for option in command.options:
        if option.dest == dest:
            return [option.names[-1], *sample(option)]
    return ["word"]


def sample(option: Option) -> list[str]:
    if option.metavar is None:
        return []
    return {"N": ["3"], "TIME": ["2h"], "KEY=VALUE": ["a=b"]}.get(option.metavar, ["text"])


@pytest.mark.parametrize(("name", "one", "two"), exclusive_pairs())
def test_options_that_exclude_each_other_are_an_error(name: str, one: str, two: str) -> None:
    """Each pair is listed in both orders."""
    command: Command = load_command(name).COMMAND
    line = [name, *given(command, one), *given(command, two)]
    if name == "cat" or "other" in {one, two}:
        line.insert(1, "run")
    parsed = parse_plain(line)
    assert parsed is not None

    with pytest.raises(UsageError, match=r"^Use .* or .*, not both$"):
        checked_values(name, command, parsed.values)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("runs -n x", "Option '--limit' needs a whole number, 1 or more"),
        ("runs -n -1", "Option '--limit' needs a whole number, 1 or more"),
        ("runs -n=5", "Option '--limit' needs a whole number, 1 or more"),
        ("runs -n 0", "Option '--limit' needs a whole number, 1 or more"),
        ("run --retries 1.5", "Option '--retries' needs a whole number"),
        ("run --timeout soon", "Option '--timeout' needs a duration such as 90s, 30m or 2h"),
        ("run --attr team", "Option '--attr' needs KEY=VALUE"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_option(line: str, message: str) -> None:
    parsed = parse_plain(words(line))
    assert parsed is not None
    assert parsed.name is not None

    with pytest.raises(UsageError) as caught:
        checked_values(parsed.name, load_command(parsed.name).COMMAND, parsed.values)
    assert caught.value.message == message
    assert caught.value.hint == f"Try 'gage {parsed.name} --help'"


def test_values_arrive_converted() -> None:
    parsed = parse_plain(words("run --timeout 2m --retries 3 --attr team=vision --attr n=3 train"))
    assert parsed is not None

    values = checked_values("run", load_command("run").COMMAND, parsed.values)

    assert values["timeout"] == 120
    assert values["retries"] == 3
    assert values["attributes"] == (("team", "vision"), ("n", 3))
    assert values["operation"] == "train"
    assert values["label"] is None


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("rnus", "No such command 'rnus'", "Did you mean 'gage runs'?"),
        ("zzz", "No such command 'zzz'", "Try 'gage --help'"),
        ("lst", "No such command 'lst'", "Did you mean 'gage list'?"),
        ("runs --limt 3", "No such option '--limt'", "Did you mean '--limit'?"),
        ("runs -n", "Option '-n' requires an argument", "Try 'gage runs --help'"),
        ("--bogus", "No such option '--bogus'", "Try 'gage --help'"),
        ("rusn", "No such command 'rusn'", "Did you mean 'gage runs'?"),
        ("--hlep", "No such option '--hlep'", "Did you mean '--help'?"),
        ("run --hlep", "No such option '--hlep'", "Did you mean '--help'?"),
        ("run --dry-run", "No such option '--dry-run'", "Did you mean '--preview'?"),
        ("run a --detach", "No such option '--detach'", "Did you mean '--background'?"),
        ("run a --name=b", "No such option '--name'", "Did you mean '--label'?"),
        ("runs --dry-run", "No such option '--dry-run'", "Try 'gage runs --help'"),
        ("runs -x", "No such option '-x'", "Try 'gage runs --help'"),
        ("run a -lr=0.2", "No such option '-lr'", "Write settings as lr=0.2"),
        ("run a --lr 0.1", "No such option '--lr'", "Settings are given as lr=0.1"),
        ("run a --lr=0.1", "No such option '--lr'", "Settings are given as lr=0.1"),
        ("run a --lr -1", "No such option '--lr'", "Settings are given as lr=-1"),
        ("run a --epochs 3", "No such option '--epochs'", "Settings are given as epochs=3"),
        ("run a --debug", "No such option '--debug'", "Settings are given as debug=VALUE"),
        ("run a --lr --debug", "No such option '--lr'", "Settings are given as lr=VALUE"),
        ("run a --set lr=1", "No such option '--set'", "Settings are given as lr=1"),
        ("run a --flags", "No such option '--flags'", "Settings are given as KEY=VALUE"),
    ],
)
def test_a_mistake_names_what_was_near(line: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_with_typer(words(line))

    assert caught.value.message == message
    assert (caught.value.hint or "").startswith(hint)


def test_aliases_stand_for_commands() -> None:
    assert set(ALIASES.values()) <= set(COMMANDS)
    assert not set(ALIASES) & set(COMMANDS)
