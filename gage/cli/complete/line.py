"""What is to be completed on a command line: the kind of word, and what was typed before it.

A shell hands over what its script knows of the command, so that no command has to be imported:

    run -y -l=TEXT --label=TEXT --attr=KEY=VALUE | OPERATION KEY=VALUE*

that is the command, its options with the meta variable of the value, its arguments, of which the
last may have a `*` for many. `ACTION:get,set` lists all that a word can be.
"""

__all__ = ["Place", "find_place", "parse_kinds"]


class Place:
    """Where the cursor is.

    Attributes:
        command: the command's own name; empty before it.
        kind: the meta variable of the word, such as `RUN`; `OPTION` for the name of one.
        choices: words it can be, apart from what is found for its kind.
        head: what of the word stands before the part to be completed, as in `--runs=`.
        prefix: the part to be completed as far as it was typed.
        option: the option whose value this is; empty for an argument.
        words: the arguments before this one.
        directories: the values of `-C`.
        runs_dir: the value of `--runs`; empty without.
    """

    def __init__(self) -> None:
        self.command = self.kind = self.head = self.prefix = self.option = self.runs_dir = ""
        self.choices: list[str] = []
        self.words: list[str] = []
        self.directories: list[str] = []


def parse_kinds(text: str) -> dict[str, list[str]]:
    """Kind to the words it can be, from `TOPIC:config,files PHASE:run`."""
    parts = (part.partition(":") for part in text.split())
    return {name: choices.split(",") for name, _, choices in parts}


def find_place(spec: str, kinds: dict[str, list[str]], words: list[str]) -> Place:
    """What the last of `words` is, which follow `gage` on a line.

    Args:
        spec: what the script knows of the command; empty where there is none yet.
        kinds: kind to words it can be, for all commands.
    """
    place = Place()
    before, place.prefix = words[:-1], words[-1]
    while before[:1] == ["-C"]:
        if len(before) == 1:
            place.kind = "DIR"
            return place
        place.directories.append(before[1])
        del before[:2]
    left, _, right = spec.partition("|")
    place.command, *options = left.split() or [""]
    known = dict(option.partition("=")[::2] for option in options)
    _read(place, known, before[1:])
    if not place.kind:
        _set_argument(place, right.split())
    kind, _, listed = place.kind.partition(":")
    place.kind = kind
    setting = f"{kind}.{place.words[-1]}" if place.words else kind
    place.choices += listed.split(",") if listed else kinds.get(setting, kinds.get(kind, []))
    return place


def _read(place: Place, known: dict[str, str], words: list[str]) -> None:
    """Take the words before the cursor apart, and settle the kind where an option does."""
    words = [*words]
    while words:
        word = words.pop(0)
        if word == "--":
            place.words += words
            return
        name, equals, value = word.partition("=")
        if not known.get(name) or not word.startswith("-"):
            if not word.startswith("-") or word == "-" or ":" in word:
                place.words.append(word)
            continue
        if not equals:
            if not words:
                place.option, place.kind = name, known[name]
                return
            value = words.pop(0)
        if name == "--runs":
            place.runs_dir = value
    _set_option(place, known)


def _set_option(place: Place, known: dict[str, str]) -> None:
    word = place.prefix
    name, equals, value = word.partition("=")
    if equals and name.startswith("--") and known.get(name):
        place.option, place.kind = name, known[name]
        place.head, place.prefix = f"{name}=", value
    elif word.startswith("-") and ":" not in word:
        place.kind, place.choices = "OPTION", sorted(known)


def _set_argument(place: Place, arguments: list[str]) -> None:
    """The kind of an argument is that of its place; `run` takes a setting for an operation too."""
    is_many = bool(arguments) and arguments[-1].endswith("*")
    arguments = [argument.rstrip("*") for argument in arguments]
    at = len(place.words)
    if at < len(arguments):
        place.kind = arguments[at]
    elif is_many:
        place.kind = arguments[-1]
    if place.kind == "OPERATION" and "=" in place.prefix:
        place.kind = "KEY=VALUE"
