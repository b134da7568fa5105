"""Where in a shell string a value may be put, and how it is quoted there."""

import re

__all__ = [
    "PLAIN",
    "cmd_contexts",
    "quote_for_cmd",
    "quote_for_sh",
    "sh_contexts",
]

PLAIN = ""
ARITHMETIC = "arithmetic"
BACKQUOTES = "backquotes"
COMMENT = "a comment"
DOUBLE = "double quotes"
ESCAPED = "a backslash's reach"
HERE_DOCUMENT = "a here-document"
PARAMETER = "${…}"
SINGLE = "single quotes"
UNCLEAR = "shell code that Gage cannot follow"

# Without `,` and `=`, which braces and assignments give a meaning.
_SAFE = r"[A-Za-z0-9_@%+:./-]+"
_RESERVED = "case coproc do done elif else esac fi for function if in select then time until while"
_SAFE_FOR_CMD = r"[A-Za-z0-9_.:/\\+-]+"
_SPECIAL_PARAMETERS = "$#?!-@*0123456789"
_WORD_ENDS = " \t\n;&|()<>"


def quote_for_sh(value: str, following: str = "") -> str:
    """`value` as one word of a POSIX shell; `following` is the character after it.

    Raises:
        ValueError: it holds a null character, which no argument can.
    """
    if "\0" in value:
        raise ValueError("it holds a null character")
    # A bare number before `>` would name a file descriptor.
    is_bare = (
        re.fullmatch(_SAFE, value)
        and value not in _RESERVED.split()
        and following not in ("<", ">")
    )
    return value if is_bare else "'" + value.replace("'", "'\"'\"'") + "'"


def quote_for_cmd(value: str) -> str:
    """`value` as one argument on a command line of Windows' cmd.

    Raises:
        ValueError: it holds a character that cmd changes even in quotes.
    """
    if re.fullmatch(_SAFE_FOR_CMD, value):
        return value
    if set(value) & set('"%!') or not value.isprintable():
        raise ValueError("cmd has no safe way to write '\"', '%', '!' or control characters")
    trailing = len(value) - len(value.rstrip("\\"))
    return f'"{value}{value[len(value) - trailing :]}"'


def cmd_contexts(text: str) -> list[str]:
    """For each character of a cmd line, what it stands inside: double quotes or nothing."""
    contexts: list[str] = []
    is_quoted = False
    for char in text:
        is_quoted ^= char == '"'
        contexts.append(DOUBLE if is_quoted or char == '"' else PLAIN)
    return contexts


def sh_contexts(text: str) -> list[str]:
    """For each character of a shell string, what it stands inside; `PLAIN` where a word may be put.

    `$(…)` starts afresh inside of any quotes, as it does for the shell.
    """
    scanner = _Scanner(text)
    try:
        scanner.command(0, None)
    except _Unclear as unclear:
        scanner.mark(unclear.position, len(text), UNCLEAR)
    return scanner.contexts


class _Unclear(Exception):  # a signal between two functions here
    """From `position` on, shells differ or only a full parser could tell."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class _Scanner:
    """Follows the quoting rules of POSIX shells, with bash's additions where they matter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.contexts = [PLAIN] * len(text)
        self._here_documents: list[tuple[str, bool]] = []

    def mark(self, start: int, end: int, context: str) -> int:
        """Note that the characters from `start` to `end` stand inside `context`; returns `end`."""
        end = min(end, len(self.text))
        self.contexts[start:end] = [context] * (end - start)
        return end

    def command(self, position: int, closing: str | None) -> int:
        """Follow commands up to `closing`, or to the end; returns the position after it."""
        depth = 0
        is_word_start = True
        while position < len(self.text):
            char = self.text[position]
            if char == closing and depth == 0:
                return position + 1
            if closing and is_word_start and re.match(r"case\b", self.text[position:]):
                raise _Unclear(position)  # its patterns end in a `)` that closes nothing
            depth += (char == "(") - (char == ")" and depth > 0)
            position, is_word_start = self._step(position, char, is_word_start=is_word_start)
        return position

    def _step(self, position: int, char: str, *, is_word_start: bool) -> tuple[int, bool]:
        """Follow one character or quoted part; where the next is, and if a word starts there."""
        text = self.text
        if char == "\\":
            self._refuse_joined_token(position)
            end = self.mark(position, position + 2, ESCAPED)
            return end, is_word_start and text[position + 1 : end] == "\n"
        if char in "'\"`$":
            return self._quoted(position, char), False
        if char == "#" and is_word_start:
            end = text.find("\n", position)
            return self.mark(position, len(text) if end < 0 else end, COMMENT), True
        if char == "\n":
            return self._bodies(position + 1), True
        if text.startswith("<<", position) and not text.startswith("<<<", position):
            return self._here_document(position + 2), False
        if text.startswith("<<<", position):
            return position + 3, True
        if text.startswith("((", position) and is_word_start:
            return self._arithmetic(position), False
        return position + 1, char in _WORD_ENDS

    def _quoted(self, position: int, char: str) -> int:
        if char == "'":
            return self._single(position)
        if char == '"':
            return self._double(position)
        return self._backquotes(position) if char == "`" else self._dollar(position)

    def _single(self, position: int) -> int:
        end = self.text.find("'", position + 1)
        return self.mark(position, len(self.text) if end < 0 else end + 1, SINGLE)

    def _double(self, position: int) -> int:
        self.mark(position, position + 1, DOUBLE)
        position += 1
        while position < len(self.text):
            char = self.text[position]
            if char == '"':
                return self.mark(position, position + 1, DOUBLE)
            if char == "\\":
                position = self.mark(position, position + 2, DOUBLE)
            elif char == "`":
                position = self._backquotes(position)
            elif char == "$" and self.text[position + 1 : position + 2] in tuple("({$\\"):
                position = self._dollar_in_quotes(position)
            else:
                position = self.mark(position, position + 1, DOUBLE)
        return position

    def _backquotes(self, position: int) -> int:
        match = re.compile(r"`(?:[^`\\]|\\[\s\S])*`?").match(self.text, position)
        return self.mark(position, match.end() if match else position + 1, BACKQUOTES)

    def _dollar(self, position: int) -> int:
        rest = self.text[position + 1 : position + 3]
        if rest == "\\\n":
            raise _Unclear(position)
        if rest == "((":
            return self._arithmetic(position)
        if rest[:1] and rest[0] in _SPECIAL_PARAMETERS:
            return position + 2
        if rest[:1] == "(":
            return self.command(position + 2, ")")
        if rest[:1] == "{":
            return self._parameter(position)
        if rest[:1] == "'":
            return self._ansi(position)
        return position + 1

    def _dollar_in_quotes(self, position: int) -> int:
        pair = self.text[position : position + 2]
        if pair == "$$":
            return self.mark(position, position + 2, DOUBLE)
        if pair == "$\\" and self.text[position + 2 : position + 3] != "\n":
            return self.mark(position, position + 1, DOUBLE)
        return self._dollar(position)

    def _refuse_joined_token(self, position: int) -> None:
        """A line end after a backslash is nothing at all, and so can hide what stands around it."""
        if self.text[position + 1 : position + 2] == "\n":
            before, after = self.text[:position][-1:], self.text[position + 2 : position + 3]
            if before.strip() and after.strip():
                raise _Unclear(position)

    def _arithmetic(self, position: int) -> int:
        """`$((…))`, or `((…))` for bash, where quotes do not protect.

        Where it does not end in `))` or holds quotes, shells may take it for commands.
        """
        depth = 0
        for end in range(position, len(self.text)):
            char = self.text[end]
            depth += (char == "(") - (char == ")")
            if char in "'\"`\\;\n":
                break
            if depth == 0 and char == ")":
                if self.text[end - 1] != ")":
                    break
                return self.mark(position, end + 1, ARITHMETIC)
        raise _Unclear(position)

    def _parameter(self, start: int) -> int:
        position = start + 2
        while position < len(self.text):
            char = self.text[position]
            if char == "}":
                return self.mark(start, position + 1, PARAMETER)
            if char == "\\":
                position += 2
            elif char in "'\"`" or self.text.startswith(("$(", "${"), position):
                position = self._quoted(position, char)
            else:
                position += 1
        return self.mark(start, position, PARAMETER)

    def _ansi(self, position: int) -> int:
        """`$'…'`, where a backslash before a quote means one thing to bash and another to dash."""
        end = self._single(position + 1)
        if "\\'" in self.text[position:end]:
            raise _Unclear(position)
        return end

    def _here_document(self, position: int) -> int:
        """Note the delimiter; the body comes after the line's end."""
        match = re.compile(r"(-?)[ \t]*((?:[^\s;&|()<>'\"\\]|'[^']*'|\"[^\"]*\"|\\.)+)").match(
            self.text, position
        )
        if match is None:
            return position
        if self.text[match.end() : match.end() + 1] == "\\":
            raise _Unclear(position)
        self._here_documents.append((re.sub(r"['\"\\]", "", match[2]), bool(match[1])))
        return self.mark(match.start(2), match.end(2), HERE_DOCUMENT)

    def _bodies(self, position: int) -> int:
        """Mark the here-documents whose bodies start at this line."""
        for delimiter, has_tabs in self._here_documents:
            while position < len(self.text):
                end = self.text.find("\n", position)
                end = len(self.text) if end < 0 else end
                line = self.text[position:end]
                position = self.mark(position, end + 1, HERE_DOCUMENT)
                if (line.lstrip("\t") if has_tabs else line) == delimiter:
                    break
                if line.endswith("\\"):
                    raise _Unclear(position)  # it may join the next line, delimiter or not
        self._here_documents = []
        return position
