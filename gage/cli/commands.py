"""The table of commands: name, module, one line of help. Modules are imported on use."""

from importlib import import_module
from types import ModuleType

__all__ = ["ALIASES", "COMMANDS", "canonical_name", "load_command"]

COMMANDS = {
    "run": "Run an operation, a script or a notebook",
    "runs": "List runs, newest first",
    "select": "Print the id of a run, such as the best one",
    "compare": "Compare the config and the metrics of runs",
    "diff": "Show what differs between two runs",
    "plot": "Draw curves of metrics",
    "query": "Answer SQL over runs",
    "show": "Show one run",
    "watch": "Follow the output of a run until it ends",
    "stop": "Stop runs",
    "files": "List the files of a run",
    "cat": "Print a file of a run",
    "open": "Open the files of a run in a file browser or a program",
    "label": "Set or show the label of runs",
    "tag": "Add and remove tags of runs, or show them",
    "comment": "Write or show comments on runs",
    "id": "Name what runs made: a model, a dataset, a paper",
    "delete": "Delete runs, which can be restored",
    "restore": "Restore deleted runs",
    "purge": "Remove deleted runs for good",
    "associate": "Tie runs to a project",
    "operations": "List the operations of the project",
    "check": "Check the installation, the project and its Gage file",
    "index": "Show and refresh the index of the runs",
    "config": "Show and change settings",
    "completion": "Complete command lines in bash, zsh, fish and nushell",
    "init": "Start a project from a template",
    "help": "Explain a topic or a command",
}
"""Name to one-line help, in the order of `gage --help`; the module is `gage.cli.<name>`."""

ALIASES = {"list": "runs", "ls": "runs", "ops": "operations"}


def canonical_name(name: str) -> str | None:
    """The command that `name` or an alias of it stands for, or None."""
    name = ALIASES.get(name, name)
    return name if name in COMMANDS else None


def load_command(name: str) -> ModuleType:
    """Import the module of a command: it has `COMMAND`, its options, and `run`, its function."""
    return import_module(f"gage.cli.{name}")
