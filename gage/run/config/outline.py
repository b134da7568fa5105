"""The outline of a Python source: the bodies of functions and classes cut, lines kept.

Config stands at module level, and parsing is most of the time that reading it takes. The cut is
exact about strings and comments; where it cannot be, it gives up, and the whole text is parsed.
"""

import re
from functools import cache

__all__ = ["outline"]


def outline(text: str) -> str | None:
    """`text` with each function and class at the margin emptied, every line in its place.

    None where the cut is not certain: form feeds, lone carriage returns, f-strings that hold
    quotes of their own kind, unfinished strings.
    """
    if "\f" in text or ("\r" in text and text.count("\r") != text.count("\r\n")):
        return None
    parts: list[str] = []
    is_decorated = False
    for match in _tokens().finditer(text):
        part = match[0]
        if match.lastgroup == "unknown":
            return None
        if match.lastgroup == "block":
            stub = _stub(part) if is_decorated else ""
            part, is_decorated = stub + "\n" * part.count("\n"), False
        elif part[0] == "@":
            is_decorated = True
        parts.append(part)
    return "".join(parts)


def _stub(block: str) -> str:
    """What a decorator can stand before."""
    return "class _: 0" if block.startswith("class") else "def _(): 0"


@cache
def _tokens() -> "re.Pattern[str]":
    formatted = "|".join(
        (
            _formatted('"""', r'[^"\\{}]|"(?!"")', f"{_QUIET}|\n|'{_QUIET}*'|\"{_QUIET}*\""),
            _formatted("'''", r"[^'\\{}]|'(?!'')", f"{_QUIET}|\n|'{_QUIET}*'|\"{_QUIET}*\""),
            _formatted('"', r'[^"\\\n{}]', f"{_QUIET}|'{_QUIET}*'"),
            _formatted("'", r"[^'\\\n{}]", f'{_QUIET}|"{_QUIET}*"'),
        )
    )
    plain = (
        r'"""[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*"""'
        r"|'''[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*'''"
        r'|"(?!"")[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"'
        r"|'(?!'')[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'"
    )
    prefixed = r"(?:(?<=[fFtT])|(?<=[fFtT][rR]))"
    string = rf"{prefixed}(?:{formatted})|(?<![fFtT])(?<![fFtT][rR])(?:{plain})"
    simple = r"[^'\"#\\\n]+|#[^\n]*|\\(?:\r\n|[\s\S])"
    inside = r"\n(?=[ \t\r\n#)\]}]|\Z)"
    return re.compile(
        rf"(?P<block>^(?:async[ \t]+def|def|class)\b(?:{simple}|{string}|{inside})*)"
        rf"|(?P<other>{simple}|\n|{string})|(?P<unknown>[\s\S])",
        re.MULTILINE,
    )


_QUIET = r"[^{}'\"\\\n#]"


def _formatted(quote: str, plain: str, field: str) -> str:
    """An f-string whose fields hold no quotes of its own kind, which newer Pythons allow."""
    inner = rf"(?:{field}|\{{{_QUIET}*\}})*"
    opening = quote if len(quote) == 3 else f"{quote}(?!{quote * 2})"
    return rf"{opening}(?:{plain}|\\[\s\S]|\{{\{{|\}}\}}|\{{{inner}\}})*{quote}"
