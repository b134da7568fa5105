"""Which files hold secrets, judged by their names."""

import re
from functools import cache

__all__ = ["is_secret_file"]

_NAMES = (
    r"\.env.*",
    # `params.env` holds config, so only the usual names of deployments.
    r"(?:prod(?:uction)?|dev(?:elopment)?|test|staging|stage|live|local|docker|secrets?)\.env",
    r".*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)",
    r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?",
    r"[._]netrc|\.npmrc|\.pypirc|\.pgpass|\.htpasswd|\.git-credentials|\.dockercfg|\.s3cfg|\.boto",
    # As data or without an ending; `credentials.py` is a program.
    r"(?:credentials?|secrets?)(?:(?:\.[\w-]+)*\.(?:json|ya?ml|toml|ini|cfg|conf|csv|db|txt|env))?",
    r"\.vault[-_](?:token|pass(?:word)?)",
    r"(?:client_secret|service[-_]account).*\.json|kaggle\.json",
)
_FOLDERS = frozenset({".ssh", ".gnupg", ".aws"})
# What editors and people add to the name of a copy: `id_rsa.bak`, `.netrc~`, `id_rsa (copy)`.
_COPY = (
    r"\.(?:bak|backup|old|orig|save|saved|copy|tmp|swp|[\d-]+)(?=\.|$)|~+$"
    r"|[ _-]copy(?: ?\d+)?(?=\.|$)| ?\((?:\d+|copy(?: \d+)?|\d+\w\w copy|backup)\)"
    r"|[-_](?:bak|backup|old|orig)(?=\.|$)"
)
_HARMLESS = (".example", ".sample", ".template", ".dist", ".pub")


def is_secret_file(path: str) -> bool:
    """Whether the name of `path` says that it holds a secret: `.env*`, private keys, credentials.

    A copy counts as what it is a copy of (`id_rsa.bak`), and case does not count. Such files are
    staged and recorded only where a rule names them; `.env.example` and the like are none.
    """
    *folders, name = path.lower().split("/")
    if folders and not _FOLDERS.isdisjoint(folders):
        return True
    names = {name, _copy().sub("", name)}
    if name.startswith(".") and name.endswith(".swp"):
        names.add(name[1:-4])  # an editor's, of a file that may have no dot itself
    return any(map(_pattern().fullmatch, names)) and not any(
        each.endswith(_HARMLESS) for each in names
    )


@cache
def _copy() -> re.Pattern[str]:
    return re.compile(_COPY)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(_NAMES), re.DOTALL)
