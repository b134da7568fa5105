"""Config values in commands and labels."""

import random
import string
import subprocess
from pathlib import Path

import pytest

from gage.core.values import ConfigValue
from gage.run.config import ResolvedConfig
from gage.run.template import (
    TemplateError,
    check_template,
    substitute_arg,
    substitute_label,
    substitute_shell,
)

VALUES: dict[str, ConfigValue] = {
    "msg": "hello world",
    "lr": 0.1,
    "n": 2,
    "model.dim": 64,
    "batch-size": 32,
    "empty": "",
    "none": None,
    "on": True,
    "layers": [1, 2],
    "word": "if",
    "odd key": "x",
    "api_key": "sesame",
}
CONFIG = ResolvedConfig(values=VALUES, secret=frozenset({"api_key"}))
INJECTIONS = [
    "'; touch pwned; '",
    '"; touch pwned; "',
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "& touch pwned",
    "| touch pwned",
    "\ntouch pwned\n",
    "> pwned",
    "\\'; touch pwned; '",
    "'\"'\"'; touch pwned",
    "${IFS}touch${IFS}pwned",
    "x\\",
    "~",
    "*",
    "#",
    "!!",
    "-n",
    "a'b\"c`d$e\\f\ng",
]


def fill(text: str, **values: ConfigValue) -> str:
    return substitute_shell(text, ResolvedConfig(values=values or VALUES), platform="linux")


def say(command: str, cwd: Path) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("template", "command"),
    [
        ("echo {lr}", "echo 0.1"),
        ("run --d={model.dim} -b {batch-size}", "run --d=64 -b 32"),
        ("echo {msg}", "echo 'hello world'"),
        ("echo {empty}|cat", "echo ''|cat"),
        ("echo {none} {on} {layers}", "echo null true '[1, 2]'"),
        ("{word} x", "'if' x"),
        ("echo {odd key}", "echo x"),
        ("echo {n}>out", "echo '2'>out"),
        ("echo {n} >out", "echo 2 >out"),
        ("echo a#{lr}", "echo a#0.1"),
        ("f() { echo {lr}; }", "f() { echo 0.1; }"),
        ('echo "$(echo {lr} | cat)"', 'echo "$(echo 0.1 | cat)"'),
        ("echo $(echo (a); echo {lr})", "echo $(echo (a); echo 0.1)"),
        ("case $x in a) echo {lr};; esac", "case $x in a) echo 0.1;; esac"),
        ("cat <<< x; echo {lr}", "cat <<< x; echo 0.1"),
        ("cat <<E\nx\nE\necho {lr}", "cat <<E\nx\nE\necho 0.1"),
        ("cat <<-'E F' <<G\n\tE F\nG\necho {lr}", "cat <<-'E F' <<G\n\tE F\nG\necho 0.1"),
        ("cat << \necho {lr}", "cat << \necho 0.1"),
        ("# it's\necho {lr}", "# it's\necho 0.1"),
        ("echo \\\n# it's\necho {lr}", "echo \\\n# it's\necho 0.1"),
        ("echo 'a'\"b\"\\'{lr}", "echo 'a'\"b\"\\'0.1"),
        ('echo "a\\"b" {lr}', 'echo "a\\"b" 0.1'),
        ('echo "`echo \\`x`" {lr}', 'echo "`echo \\`x`" 0.1'),
        ('echo $"a" {lr} "$x ${y}"', 'echo $"a" 0.1 "$x ${y}"'),
        ("echo $'a' {lr}", "echo $'a' 0.1"),
        ("echo $(( (1 + 2) * 3 )) {lr}", "echo $(( (1 + 2) * 3 )) 0.1"),
        ("((x = 1)); echo {lr}", "((x = 1)); echo 0.1"),
        ("echo $# {lr}", "echo $# 0.1"),
    ],
)
def test_a_key_is_put_as_one_word(template: str, command: str) -> None:
    assert fill(template) == command


@pytest.mark.parametrize(
    "text",
    [
        "awk '{print $1}' data",
        "awk '{print}' data",
        "awk '{if (x) {print}}' data",
        'echo \'{"a": {"b": 1}}\'',
        "echo {a,b} {1..3} {} { }",
        "find . -exec ls {} +",
        "echo ${lr} ${x:-{lr}} ${x:-'}'} ${x:-\\}} ${x:-$(echo })}",
        "echo '${lr}' \"${lr}\"",
        "echo \\{lr}",
        "x() { y; }",
        "echo ${unclosed",
        "echo {unclosed",
    ],
)
def test_other_braces_are_left_alone(text: str) -> None:
    assert fill(text) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("echo {{lr}}", "echo {lr}"),
        ("echo {{{lr}}}", "echo {0.1}"),
        ("echo '{{msg}}'", "echo '{msg}'"),
        ('{{"a": {{"b": {lr}}}}}', '{"a": {"b": 0.1}}'),
        ("echo }} {{", "echo } {"),
        ("awk '{{print}}'", "awk '{print}'"),
    ],
)
def test_doubled_braces_are_braces(template: str, text: str) -> None:
    assert fill(template) == text


@pytest.mark.parametrize(
    ("template", "inside", "fix"),
    [
        ("echo '{msg}'", "single quotes", "without quotes"),
        ('echo "{msg}"', "double quotes", "without quotes"),
        ('echo "a $(echo "{msg}")"', "double quotes", "without quotes"),
        ('echo "{msg}', "double quotes", "without quotes"),
        ("echo `echo {msg}`", "backquotes", "$(…)"),
        ('echo "`echo {msg}`"', "backquotes", "$(…)"),
        ("echo `echo {msg}", "backquotes", "$(…)"),
        ("cat <<E\n{msg}\nE", "a here-document", "{{msg}}"),
        ("cat <<{msg}\nE", "a here-document", "{{msg}}"),
        ("cat <<E\n{msg}", "a here-document", "{{msg}}"),
        ("echo $(cat <<E\n{msg}\nE\n)", "a here-document", "{{msg}}"),
        ("true # {msg}", "a comment", "{{msg}}"),
        ("echo $((1 + {n}))", "arithmetic", "n={n}"),
        ("((x = {n}))", "arithmetic", "n={n}"),
        ("((x = {n}", "shell code that Gage cannot follow", "{{n}}"),
        ("echo $'a\\'' {msg}", "shell code that Gage cannot follow", "{{msg}}"),
        ("x=$(case a in a) echo;; esac) {msg}", "shell code that Gage cannot follow", "{{msg}}"),
        ("#!python\nprint({lr})", "a script that is not for a shell", "'#!' line"),
    ],
)
def test_a_key_where_no_quoting_is_safe_is_an_error(template: str, inside: str, fix: str) -> None:
    with pytest.raises(TemplateError) as caught:
        fill(template)

    assert f"stands inside {inside}" in caught.value.message
    assert fix in (caught.value.hint or "")
    assert caught.value.exit_status == 1
    problems = check_template(template, VALUES, platform="linux")
    assert len(problems) == 1
    assert inside in problems[0]


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(TemplateError) as caught:
        fill("echo {lrr}")

    assert caught.value.message == "Unknown config key 'lrr' in a command or label"
    assert caught.value.hint == "Did you mean {lr}? Or write {{lrr}} for the text itself"
    assert check_template("echo {zzz}", VALUES, platform="linux") == [
        "Unknown config key 'zzz' in a command or label (Write {{zzz}} for the text itself)"
    ]


@pytest.mark.parametrize("substitute", [substitute_arg, substitute_label, substitute_shell])
def test_a_secret_never_comes_into_a_command(substitute: object) -> None:
    assert callable(substitute)
    with pytest.raises(TemplateError) as caught:
        substitute("--key={api_key}", CONFIG)

    assert "secret" in caught.value.message
    assert "sesame" not in f"{caught.value.message} {caught.value.hint}"
    assert check_template("{api_key}", VALUES, secret={"api_key"}, is_shell=False)


def test_a_good_template_has_no_problems() -> None:
    text = "python train.py --lr {lr} && cd $project_dir"

    assert check_template(text, VALUES, platform="linux") == []


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize(
    "template",
    [
        "printf %s {msg}",
        'printf %s "$(printf %s {msg})"',
        'x={msg}; printf %s "$x"',
        "#!/bin/sh\nprintf %s {msg}",
        "cat <<E >/dev/null\nit's\nE\nprintf %s {msg} # it's",
    ],
)
def test_no_value_escapes_its_quotes(template: str, value: str, tmp_path: Path) -> None:
    command = fill(template, msg=value).removeprefix("#!/bin/sh\n")

    said = say(command, tmp_path)

    assert said == (value if "$(" not in template else value.rstrip("\n"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "template", ["printf %s a{msg}b", 'for i in {msg}; do printf %s "$i"; done']
)
def test_random_values_come_through_a_shell_unchanged(template: str, tmp_path: Path) -> None:
    draw = random.Random(7)
    alphabet = string.punctuation + string.whitespace + "aé\u2028😀"
    for _ in range(60):
        value = "".join(draw.choices(alphabet, k=draw.randint(0, 30)))

        said = subprocess.run(
            ["/bin/sh", "-c", fill(template, msg=value)],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        ).stdout.decode()

        assert said == (f"a{value}b" if "a{" in template else value)
    assert list(tmp_path.iterdir()) == []


def test_random_templates_never_run_a_value(tmp_path: Path) -> None:
    """Whatever the shell text around a key, the key is refused or its value stays a value."""
    draw = random.Random(11)
    parts = [
        *(
            "'",
            '"',
            "`",
            "$(",
            ")",
            "((",
            "))",
            "{msg}",
            "\\",
            "\n",
            " ",
            ";",
            "#",
            "<<E",
            "E",
            "$'",
        ),
        *("${x:-", "}", "echo ", "$((", "case x in ", "esac", "|", "&&", "{{", "}}", "<", "a"),
    ]
    value = "';touch pwned;\";touch pwned;`touch pwned`;$(touch pwned)\ntouch pwned\n"
    accepted = 0
    for _ in range(600):
        template = "".join(draw.choices(parts, k=draw.randint(1, 14))) + "{msg}"
        try:
            command = fill(template, msg=value)
        except TemplateError:
            continue
        accepted += 1
        subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=tmp_path,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert not (tmp_path / "pwned").exists(), template
    assert accepted > 20


@pytest.mark.parametrize(
    "template",
    [
        "$${x#<<E\n{msg}{msg} ((",
        "$((;x)$'{{#x){msg}x=",
        "$\\\n${x:-<<-'E'\n\n}}>{msg}",
        'echo "$\\\n(echo {msg})"',
        'echo "$$(echo {msg})"',
        "cat <<E\\\nF\nE\n{msg}",
        "cat <<E\na\\\nE\n{msg}\nE\n",
        "echo a\\\n#{msg}",
        'echo "\\$(echo {msg})"',
        'echo "$\\(echo {msg})"',
    ],
)
def test_text_that_shells_read_in_odd_ways_runs_no_value(template: str, tmp_path: Path) -> None:
    value = "';touch pwned;\";touch pwned;`touch pwned`;$(touch pwned)\ntouch pwned\n)touch pwned\n"
    with pytest.raises(TemplateError):
        fill(template, msg=value)


def test_a_null_character_cannot_be_put_into_a_command() -> None:
    with pytest.raises(TemplateError, match="null character"):
        fill("echo {msg}", msg="a\0b")


def test_the_project_directory_is_quoted_for_where_it_stands() -> None:
    text = "ls $project_dir/x \"$project_dir/y\" '$project_dir' \\$project_dir $project_dirs"

    filled = substitute_shell(text, CONFIG, project_dir=Path("/a b/$c"), platform="linux")

    assert filled == ("ls '/a b/$c'/x \"/a b/\\$c/y\" '$project_dir' \\$project_dir $project_dirs")
    assert substitute_shell("ls $project_dir", CONFIG, platform="linux") == "ls $project_dir"


def test_an_argument_holds_values_as_they_are() -> None:
    text = '--msg={msg} --lr={lr} {{x}} ${lr} {"a": 1} $project_dir'

    filled = substitute_arg(text, CONFIG, project_dir=Path("/a b"))

    assert filled == '--msg=hello world --lr=0.1 {x} ${lr} {"a": 1} /a b'
    assert substitute_arg("$project_dir", CONFIG) == "$project_dir"
    with pytest.raises(TemplateError):
        substitute_arg("{nope}", CONFIG)


def test_a_label_holds_values_as_they_are() -> None:
    assert substitute_label("lr={lr} {msg} {{x}} $project_dir", CONFIG) == (
        "lr=0.1 hello world {x} $project_dir"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "2"), (1e-5, "1e-05"), (0.123456, "0.123456"), (float("nan"), "nan"), (3, "3")],
)
def test_a_label_shows_numbers_as_lists_do_unless_that_would_round(value: float, text: str) -> None:
    config = ResolvedConfig(values={"x": value})

    assert substitute_label("{x}", config) == text
    assert substitute_arg("{x}", config) == repr(value)


def test_a_script_for_another_program_takes_values_in_its_first_line() -> None:
    assert fill("#!/usr/bin/env python - {msg}\nprint({{lr}})") == (
        "#!/usr/bin/env python - 'hello world'\nprint({lr})"
    )
    assert fill("#!/bin/bash\necho {lr}") == "#!/bin/bash\necho 0.1"
    assert fill("#!true {lr}") == "#!true 0.1"


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("abc", "abc"),
        ("a b", '"a b"'),
        ("a&b|c<d>e^f", '"a&b|c<d>e^f"'),
        ("", '""'),
        ("C:\\x\\", "C:\\x\\"),
        ("C:\\a b\\", '"C:\\a b\\\\"'),
    ],
)
def test_windows_quotes_with_double_quotes(value: str, quoted: str) -> None:
    config = ResolvedConfig(values={"msg": value})

    assert substitute_shell("echo {msg}", config, platform="windows") == f"echo {quoted}"


@pytest.mark.parametrize("value", ['a"b', "%PATH%", "a!b", "a\nb"])
def test_windows_refuses_what_it_cannot_quote(value: str) -> None:
    config = ResolvedConfig(values={"msg": value})

    with pytest.raises(TemplateError, match="cmd has no safe way"):
        substitute_shell("echo {msg}", config, platform="windows")


def test_windows_knows_double_quotes_only() -> None:
    config = ResolvedConfig(values={"msg": "x"})

    assert substitute_shell("echo '{msg}'", config, platform="windows") == "echo 'x'"
    with pytest.raises(TemplateError, match="double quotes"):
        substitute_shell('echo "{msg}"', config, platform="windows")
    text = 'cd $project_dir & cd "$project_dir"'
    filled = substitute_shell(text, config, project_dir=Path("/a b"), platform="windows")
    assert filled == 'cd "/a b" & cd "/a b"'
