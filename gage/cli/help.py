"""`gage help`: topics, which are pages of Markdown beside this file, and commands."""

import os
import sys

from gage.cli.commands import COMMANDS, canonical_name, load_command
from gage.cli.mistakes import nearest
from gage.cli.options import Argument, Command
from gage.core.errors import UsageError

__all__ = ["COMMAND", "TOPIC_ALIASES", "NoSuchTopic", "run", "topics"]

COMMAND = Command(
    about="""
        Topics explain what several commands share. Without one, the topics are listed.
    """,
    arguments=(Argument("TOPIC", "topic", "Name a topic or a command"),),
)

TOPIC_ALIASES = {
    "attributes": "metrics",
    "environ": "environment",
    "exit": "exit-status",
    "exit-code": "exit-status",
    "files": "file-rules",
    "filerules": "file-rules",
    "filter": "filters",
    "flags": "config",
    "gage-file": "gagefile",
    "gage.toml": "gagefile",
    "op": "operations",
    "ops": "operations",
    "select": "runs",
    "select-runs": "runs",
    "sourcecode": "file-rules",
    "summaries": "metrics",
    "summary": "metrics",
    "variables": "environment",
    "where": "filters",
}

_DIR = os.path.join(os.path.dirname(__file__), "topics")


class NoSuchTopic(UsageError):
    """There is neither a topic nor a command of this name."""

    def __init__(self, topic: str, near: str | None) -> None:
        hint = f"Did you mean 'gage help {near}'?" if near else "Try 'gage help'"
        super().__init__(f"No help topic {topic!r}", hint=hint)
        self.topic = topic
        self.near = near


def run(*, topic: str | None) -> None:
    """Show a topic, a command's help, or the list of both."""
    if topic is None:
        sys.stdout.write(_contents() + "\n")
    elif (page := _page(topic)) is not None:
        _show_page(page)
    elif (name := canonical_name(topic)) is not None:
        from gage.cli.usage import command_help

        sys.stdout.write(command_help(name, load_command(name).COMMAND) + "\n")
    else:
        raise NoSuchTopic(topic, nearest(topic, [*topics(), *TOPIC_ALIASES, *COMMANDS]))


def topics() -> dict[str, str]:
    """Name to title of every topic."""
    names = sorted(name[:-3] for name in os.listdir(_DIR) if name.endswith(".md"))
    return {name: _read(name).partition("\n")[0].lstrip("# ") for name in names}


def _page(topic: str) -> str | None:
    name = topic if topic in topics() else TOPIC_ALIASES.get(topic)
    if name is None:
        return None
    command = canonical_name(name)
    more = f"\nThe command is explained by 'gage {command} --help'.\n" if command else ""
    return _read(name) + more


def _read(name: str) -> str:
    with open(os.path.join(_DIR, f"{name}.md"), encoding="utf-8") as file:
        return file.read()


def _contents() -> str:
    from gage.cli.usage import section

    lines = [*section("TOPICS", topics().items()), "", *section("COMMANDS", COMMANDS.items())]
    return "\n".join([*lines, "", "Try 'gage help NAME'."])


def _show_page(text: str) -> None:
    if not sys.stdout.isatty():
        sys.stdout.write(text)
        return
    # On a terminal, drawn Markdown is worth the time that rich takes to start.
    from rich.console import Console
    from rich.markdown import Markdown

    from gage.cli.terminal import is_colour

    Console(no_color=not is_colour()).print(Markdown(text))
