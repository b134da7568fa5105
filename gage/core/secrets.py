"""What must not be recorded: names that look secret, and the function that hides values."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache

from gage.core.values import JsonValue

__all__ = [
    "SECRET",
    "holds_secret",
    "is_secret_name",
    "is_secret_value",
    "is_secret_variable",
    "redact",
    "redact_text",
]

SECRET: dict[str, JsonValue] = {"$secret": True}

_MASK = "***"
_NAME_LIMIT = 200  # what is longer is looked at no further
_ALWAYS = (
    *("password", "passwd", "passphrase", "secret", "apikey"),
    *("passwords", "secrets", "credential", "credentials"),
)
# In machine learning a key or a token is more often a column, a word or a count than a secret:
# `sort_key`, `pad_token`, `key_dim`. So it depends on the word before it.
_SECRET_KEYS = frozenset(
    {
        *("api", "access", "private", "secret", "auth", "ssh", "aws", "azure", "gcp", "bearer"),
        *("hf", "hub", "huggingface", "github", "gitlab", "wandb", "openai", "anthropic", "comet"),
        *("account", "admin", "app", "client", "deploy", "encryption", "host", "license", "master"),
        *("pgp", "gpg", "rsa", "root", "service", "shared", "sign", "signing", "storage", "user"),
        *("neptune", "slack", "ssl", "tls", "jwt", "session", "subscription", "webhook", "my"),
    }
)
_WORD_TOKENS = frozenset(
    {
        *("bos", "eos", "pad", "unk", "sep", "cls", "mask", "eot", "special", "image", "audio"),
        *("start", "stop", "end", "begin", "first", "last", "next", "prev", "max", "min", "num"),
        *("per", "by", "decoder", "forced", "text", "class", "separator", "padding", "blank"),
    }
)
# `--key-file keys.txt` says where a secret is; the place is none.
_REFERENCES = frozenset({"file", "filename", "path", "dir"})
_VARIABLE_PARTS = ("KEY", "TOKEN", "SECRET", "PASSWORD")

# Parts of a record whose names are Gage's, or package names, and so say nothing of their values.
_STRUCTURE = frozenset(
    {"attribute_origin", "config_origin", "secret", "secret_config", "packages", "metrics", "keys"}
)
_ENVIRONMENTS = frozenset({"env", "environ", "environment"})


def is_secret_name(name: str) -> bool:
    """Whether the value of a config key, an option or a field called `name` should be hidden."""
    return _strength(name) > 0


def is_secret_value(name: str, value: object) -> bool:
    """Whether `value` should be hidden because of `name`; `key_dim=64` is no secret."""
    strength = _strength(name)
    if value is None or isinstance(value, bool):
        return False
    return strength == 2 or (strength == 1 and not isinstance(value, (int, float)))


def is_secret_variable(name: str) -> bool:
    """Whether the value of the environment variable `name` should be hidden."""
    upper = name.upper()
    return any(part in upper for part in _VARIABLE_PARTS) or is_secret_name(name)


def holds_secret(value: JsonValue) -> bool:
    """Whether a list or map has an item that should be hidden, such as `{"password": "x"}`."""
    return isinstance(value, (Mapping, list, tuple)) and redact(value) != value


def redact(value: JsonValue, secret_keys: AbstractSet[str] = frozenset()) -> JsonValue:
    """`value` without secrets; the value itself is left as it is.

    Args:
        value: any JSON value. A list of text is taken for a command.
        secret_keys: names declared secret; their values are hidden whatever they are, and so are
            their items (`db.host` where `db` is declared).
    """
    return _Redactor(secret_keys).value(value)


def redact_text(text: str, secret_keys: AbstractSet[str] = frozenset()) -> str:
    """`text` with users and tokens of its URLs cut, and `--name value` of secret names masked."""
    return _Redactor(secret_keys).text(text)


class _Redactor:
    def __init__(self, secret_keys: AbstractSet[str]) -> None:
        self._secret_keys = secret_keys

    def value(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple)):
            return self._items(value)
        return value

    def text(self, text: str) -> str:
        if "://" in text:
            text = _url_user().sub(_mask_user, text)
            text = _url_query().sub(self._mask_query, text)
        if ":" in text or "earer" in text or "EARER" in text:
            text = _item().sub(self._mask_item, text)
            text = _header().sub(self._mask_header, text)
        if "=" in text or "-" in text:
            text = _option().sub(self._mask_option, text)
        return text

    def _mapping(self, fields: Mapping[str, JsonValue]) -> JsonValue:
        if fields == SECRET:
            return SECRET
        hidden = self._described(fields)
        return {
            key: SECRET if key in hidden and value is not None else self._field(key, value)
            for key, value in fields.items()
        }

    def _described(self, fields: Mapping[str, JsonValue]) -> AbstractSet[str]:
        """The fields that hold a secret in a description such as `{name = "api_key", …}`."""
        values = [fields.get("default"), *_listed(fields.get("choices"))]
        names = _described_names(fields)
        secret = fields.get("secret") is True or any(
            self._hides(name, value) for name in names for value in values
        )
        return {"default", "value", "choices"} if secret else frozenset()

    def _field(self, key: str, value: JsonValue) -> JsonValue:
        if key in _STRUCTURE:
            return _strip_urls(value)
        if key in _ENVIRONMENTS and isinstance(value, Mapping):
            return self._environment(value)
        if self._hides(key, value):
            return SECRET
        return self.value(value)

    def _environment(self, variables: Mapping[str, JsonValue]) -> JsonValue:
        return {name: self._variable(name, value) for name, value in variables.items()}

    def _variable(self, name: str, value: JsonValue) -> JsonValue:
        if value == SECRET or value is None:
            return value
        hidden = is_secret_variable(name) or self._is_declared(name)
        if isinstance(value, Mapping):
            if "value" not in value:
                return self._environment(value)
            hidden = hidden or value.get("secret") is True
            return {**value, "value": SECRET if hidden else self.value(value["value"])}
        if isinstance(value, (list, tuple)):
            return self._items(value)
        return SECRET if hidden else self.value(value)

    def _items(self, items: Sequence[JsonValue]) -> JsonValue:
        """A list; if it is a command, the word after `--token` is hidden."""
        result: list[JsonValue] = []
        before = ""
        for item in items:
            if not isinstance(item, str):
                result.append(self.value(item))
                before = ""
                continue
            hidden = self._announces_secret(before) and not item.startswith("--")
            if hidden and not _reference().fullmatch(item):
                result.append(SECRET)
            else:
                result.append(self._word(item, is_assignment=before == "--attr"))
            before = item
        return result

    def _announces_secret(self, word: str) -> bool:
        """Whether the word after `word` in a command is a secret."""
        if word.lower().endswith("bearer"):
            return True
        option = _option_word().fullmatch(word)
        return option is not None and (is_secret_name(option[1]) or self._is_declared(option[1]))

    def _word(self, word: str, *, is_assignment: bool = False) -> str:
        """One word of a command: in `NAME=VALUE` the value goes to the end, blanks and all."""
        name, equals, value = word.partition("=")
        if is_assignment and equals and self._hides_text(name, value):
            return f"{name}={_MASK}"
        place = self._chain(word)
        return word[:-place] + _MASK if place < 0 else word[:place] + self.text(word[place:])

    def _chain(self, word: str) -> int:
        """Where `NAME=NAME=` at the start of `word` ends; negative if that names a secret."""
        place = 0
        while match := _assignment().match(word, place):
            place = match.end()
            if self._hides_text(match[1], word[place : place + _NAME_LIMIT]):
                return -place
        return place

    def _hides(self, name: str, value: JsonValue) -> bool:
        return value is not None and (self._is_declared(name) or is_secret_value(name, value))

    def _hides_text(self, name: str, value: str) -> bool:
        """Whether `value`, written after `name`, is to be masked."""
        bare = value.strip("\"'")
        # `--token $TOKEN` and `--token $(…)` name a secret and hold none.
        if value.startswith(_MASK) or bare == "$" or _reference().fullmatch(bare):
            return False
        return self._is_declared(name) or is_secret_value(name, _maybe_number(value))

    def _is_declared(self, name: str) -> bool:
        """Whether `name`, or what it is an item of, was declared secret."""
        while self._secret_keys and name:
            if name in self._secret_keys:
                return True
            name = name.rpartition(".")[0]
        return False

    def _mask_option(self, match: re.Match[str]) -> str:
        name, value = match["option"] or match["variable"], match["value"]
        start = match[0][: match.start("value") - match.start()]
        if self._hides_text(name, value):
            return start + _MASK
        return start + self._inside(value)

    def _inside(self, value: str) -> str:
        """A value that is no secret as such: `--attr password=x`, `sh -c 'x --token y'`."""
        quote, inner = value[0], value[1:-1]
        if quote in "\"'" and value[1:].find(quote) == len(inner):  # so it nests twice at most
            place = self._chain(inner)
            if place < 0:
                return f"{quote}{inner[:-place]}{_MASK}{quote}"
            return f"{quote}{_option().sub(self._mask_option, inner)}{quote}"
        for match in _assignment().finditer(value):
            if self._hides_text(match[1], value[match.end() : match.end() + _NAME_LIMIT]):
                return value[: match.end()] + _MASK
        return value

    def _mask_item(self, match: re.Match[str]) -> str:
        name, value = match["name"], match["value"]
        if value.strip("\"'") == _MASK or not self._hides(name, _maybe_number(value)):
            return match[0]
        quote = value[0] if value[0] in "\"'" else '"'
        return match[0][: match.start("value") - match.start()] + f"{quote}{_MASK}{quote}"

    def _mask_header(self, match: re.Match[str]) -> str:
        name = match["name"]
        if name is None or name.lower().endswith("authorization") or is_secret_name(name):
            return match[0][: match.start("value") - match.start()] + _MASK
        return match[0]

    def _mask_query(self, match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}={_MASK}" if is_secret_name(match[2]) else match[0]


def _strip_urls(value: JsonValue) -> JsonValue:
    """`value` with user names and tokens of URLs cut, whatever the names around them."""
    if isinstance(value, str):
        return _url_user().sub(_mask_user, value) if "://" in value else value
    if isinstance(value, Mapping):
        return {key: _strip_urls(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strip_urls(item) for item in value]
    return value


def _listed(value: JsonValue) -> Sequence[JsonValue]:
    if isinstance(value, (list, tuple)):
        return value
    return () if value is None else (value,)


def _described_names(fields: Mapping[str, JsonValue]) -> list[str]:
    """What the keys are called that a description is about: `name`, `keys` and `rename`."""
    rename = fields.get("rename")
    renamed = rename.values() if isinstance(rename, Mapping) else _listed(rename)
    patterns = [str(each).rpartition("#")[2] for each in _listed(fields.get("keys"))]
    names = [fields.get("name"), *patterns, *renamed]
    return [name for name in names if isinstance(name, str)]


def _strength(name: str) -> int:
    """2 if a value called `name` is a secret, 1 if it is one unless it is a number, 0 if not."""
    words = _words_of(name)
    if words and words[-1] in _REFERENCES:
        return 0
    if any(word.endswith(_ALWAYS) for word in words) or "apikey" in "".join(words):
        return 2
    return int(_ends_alone(name, words) or _has_key(words))


def _words_of(name: str) -> list[str]:
    return [word.lower() for word in _words().findall(name)]


def _ends_alone(name: str, words: Sequence[str]) -> bool:
    """Whether the name is `key` or `token`, or ends so where it is that of a variable."""
    if _words_of(name.rpartition(".")[2]) in (["key"], ["token"]):
        return True
    return name.isupper() and bool(words) and words[-1] in ("key", "token")


def _has_key(words: Sequence[str]) -> bool:
    """Whether there is a key of something secret, or a token of anything but text."""
    before = ""
    for place, word in enumerate(words):
        if word in ("key", "token"):
            if before in _SECRET_KEYS:
                return True
            if word == "token" and before and place == len(words) - 1:
                return before not in _WORD_TOKENS
        elif word.endswith(("key", "token")) and _without_end(word) in _SECRET_KEYS:
            return True
        before = word
    return False


def _without_end(word: str) -> str:
    return word.removesuffix("key").removesuffix("token")


def _maybe_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _mask_user(match: re.Match[str]) -> str:
    # `ssh://git@host` names an account that everyone shares; without it the address does not work.
    scheme, user = match[1], match[2]
    return match[0] if scheme.lower() in {"ssh", "git+ssh"} and ":" not in user else f"{scheme}://"


@cache
def _words() -> re.Pattern[str]:
    return re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@cache
def _url_user() -> re.Pattern[str]:
    return re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{0,20})://([^\s/@'\"]+(?:@[^\s/@'\"]+)*)@")


@cache
def _url_query() -> re.Pattern[str]:
    return re.compile(r"([?&;#])([\w.-]{1,80})=[^\s&#'\"]*")


@cache
def _reference() -> re.Pattern[str]:
    return re.compile(r"\$\w+|\$\{\w+\}")


@cache
def _option_word() -> re.Pattern[str]:
    return re.compile(r"--?([\w.@+-]+)")


@cache
def _assignment() -> re.Pattern[str]:
    return re.compile(r"(?<![\w.@+-])-{0,2}([\w.@+-]{1,200})=")


@cache
def _item() -> re.Pattern[str]:
    """An item of a map in JSON, as in `db={"password": "x"}`."""
    value = r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,'"{}\[\]]+)"""
    return re.compile(
        rf"""(?P<quote>["'])(?P<name>[\w.@ -]{{1,80}})(?P=quote)\s{{0,9}}:\s{{0,9}}{value}"""
    )


@cache
def _header() -> re.Pattern[str]:
    """`Authorization: Bearer X`, `X-Api-Key: X`, and `Bearer X` by itself."""
    name = r"(?P<name>authorization|proxy-authorization|[a-z]\w{0,40}-[\w-]{1,80})"
    scheme = r"(?i:bearer|basic|token|digest|apikey)(?:[ \t]|\\ )+"
    value = rf"(?P<value>(?!\*\*\*|\$|{scheme})[^\s'\"]+)"
    named = rf"(?i:{name}[ \t]*[:=][ \t]*(?:{scheme})?)"
    return re.compile(rf"(?<![\w-])(?:{named}|B(?:earer|EARER)(?:[ \t]|\\ )+){value}")


@cache
def _option() -> re.Pattern[str]:
    name = r"[A-Za-z_][\w.-]{0,80}"
    # Bare words end where a shell ends them, or the mask would swallow the next command; a quote
    # that nothing closes ends with the word.
    part = r"""(?:"[^"]*"|'[^']*'|\\.|['"\\]|[^\s'"\\;|&()<>]+)"""
    value = rf"(?P<value>(?!\*\*\*){part}+)"
    return re.compile(
        rf"(?<![\w.-])(?:--?(?P<option>{name})(?:=|[ \t]+(?!-))|(?P<variable>{name})=){value}",
        re.DOTALL,
    )
