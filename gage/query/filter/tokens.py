"""The words and signs of a filter."""

from typing import NamedTuple

from gage.query.filter.errors import FilterError

__all__ = ["END", "MAX_LENGTH", "NAME", "SIGN", "TEXT", "WORD", "Token", "number_of", "tokenize"]

MAX_LENGTH = 65_536  # read in about 20 ms; ten times what a list of a thousand ids takes
PREFIXES = ("run", "metric", "config", "attribute")

WORD, TEXT, NAME, SIGN, END = "word", "text", "name", "sign", "end"

_IN_WORDS = frozenset("-.:_/@")
_SIGNS = (
    *("===", "!==", "<=>"),
    *("==", "=~", "!=", "!~", "<=", ">=", "**", "&&", "||", "<>", "=>", "=<", "~="),
    *("=", "<", ">", "+", "*", "(", ")", "[", "]", ",", "!", "&", "|", "^", "~", "%"),
    *("≤", "≥", "≠", "−", "×", "÷"),
)
_FIRST = frozenset(sign[0] for sign in _SIGNS)
_INSTEAD = {
    "===": "=",
    "!==": "!=",
    "<=>": "=",
    "&&": "and",
    "||": "or",
    "<>": "!=",
    "=>": ">=",
    "=<": "<=",
    "~=": "=~",
    "!": "not",
    "&": "and",
    "|": "or",
    "^": "**",
    "~": "=~",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "−": "-",
    "×": "*",
    "÷": "/",
}
_CURLY = frozenset("“”„‟‘’‚«»´")


class Token(NamedTuple):
    """A word, a text in quotes, a name in backquotes, or a sign.

    Attributes:
        text: what it stands for; of quotes, what is inside.
        prefix: of a name: `run`, `metric`, `config` or `attribute`, if it has one.
    """

    kind: str
    text: str
    start: int
    end: int
    prefix: str = ""


def tokenize(text: str) -> list[Token]:
    """Split a filter; the last token is `END`.

    Raises:
        FilterError: something in it is no part of the language, or it is too long.
    """
    if len(text) > MAX_LENGTH:
        problem = f"The filter has {len(text):,} characters, and at most {MAX_LENGTH:,} are read"
        raise FilterError(problem, text, MAX_LENGTH)
    tokens: list[Token] = []
    position, length = 0, len(text)
    while position < length:
        char = text[position]
        if char.isspace():
            position += 1
            continue
        token = _token(text, position, char)
        tokens.append(token)
        position = token.end
    tokens.append(Token(END, "", length, length))
    return tokens


def number_of(word: str) -> int | float | None:
    """The number that a bare word stands for, spelled as in a flag; None if it is none."""
    if not word.isascii() or word[0] not in "0123456789+-.iI":
        return None
    digits = word.lstrip("+-")
    if len(word) - len(digits) > 1 or "__" in word:
        return None
    if digits in {"inf", "Inf", "INF", ".inf", ".Inf", ".INF"}:
        return float(word.replace(".", ""))
    if not digits[:1].isdigit() and not (digits[:1] == "." and digits[1:2].isdigit()):
        return None
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "0123456789_":
        return None
    try:
        return _in_64_bits(int(word, 0))
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return None


def _in_64_bits(number: int) -> int | float:
    """Longer ones are floats: that is how the index holds them."""
    if -(2**63) <= number < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _token(text: str, start: int, char: str) -> Token:
    if char in "\"'":
        inner, end = _quoted(text, start, char)
        return Token(TEXT, inner, start, end)
    if char == "`":
        inner, end = _quoted(text, start, char)
        return Token(NAME, inner, start, end)
    if _is_in_word(char):
        return _word(text, start)
    if char in _FIRST:
        return _sign(text, start)
    if char in _CURLY:
        hint = "Write straight quotes, \" or '"
        raise FilterError(f"A quote that is not straight: {char}", text, start, hint=hint)
    raise FilterError(f"Unexpected character {char!r}", text, start, hint="Put it in quotes")


def _is_in_word(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in _IN_WORDS
    return char.isprintable() and char not in _CURLY and char not in _INSTEAD


def _word(text: str, start: int) -> Token:
    end, length = start + 1, len(text)
    while end < length and (_is_in_word(text[end]) or _is_plus_of_word(text, start, end)):
        end += 1
    word = text[start:end]
    if word in {"-", "/"}:
        return Token(SIGN, word, start, end)
    if word[-1] == ":" and word[:-1] in PREFIXES and end < length and text[end] in "\"'`":
        inner, end = _quoted(text, end, text[end])
        return Token(NAME, inner, start, end, prefix=word[:-1])
    return Token(WORD, word, start, end)


def _is_plus_of_word(text: str, start: int, end: int) -> bool:
    """Whether this `+` belongs to a number such as 1e+3, or to the zone of a time."""
    if text[end] != "+" or not text[end + 1 : end + 2].isdigit():
        return False
    word = text[start:end]
    if word[-1] in "eE":
        return number_of(word + "1") is not None
    return word[0].isdigit() and "T" in word and ":" in word


def _sign(text: str, start: int) -> Token:
    sign = next(sign for sign in _SIGNS if text.startswith(sign, start))
    if sign in _INSTEAD:
        hint = f"Write '{_INSTEAD[sign]}'"
        raise FilterError(f"Unknown operator '{sign}'", text, start, hint=hint)
    if sign == "%":
        raise FilterError("Unknown operator '%'", text, start, hint="Put text with it in quotes")
    return Token(SIGN, "=" if sign == "==" else sign, start, start + len(sign))


def _quoted(text: str, start: int, quote: str) -> tuple[str, int]:
    """What is inside the quotes at `start`, and where they end.

    Two quotes stand for one. In double quotes a backslash may stand before a quote or another
    backslash; before anything else it is itself, so that regular expressions need no more.
    """
    inner: list[str] = []
    position, length = start + 1, len(text)
    while position < length:
        char, following = text[position], text[position + 1 : position + 2]
        if char == quote and following != quote:
            break
        if char == quote or (char == "\\" and quote == '"' and following in ('"', "\\")):
            position += 1
            char = following
        inner.append(char)
        position += 1
    else:
        raise FilterError(f"No end to the text that begins with {quote}", text, start)
    result = "".join(inner)
    if not result.isascii():
        _check_unicode(result, text, start)
    return result, position + 1


def _check_unicode(inner: str, text: str, start: int) -> None:
    if any("\ud800" <= char <= "\udfff" for char in inner):
        raise FilterError("A text that is not UTF-8", text, start)
