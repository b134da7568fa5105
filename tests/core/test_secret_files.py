"""Names that say a file holds a secret."""

import pytest

from gage.core.secret_files import is_secret_file


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".env.local", ".envrc", "a/b/.ENV", "server.pem", "a/server.KEY", "cert.p12"),
        *("id_rsa", "id_ed25519", "id_ed25519_sk", ".netrc", "_netrc", ".npmrc", ".pypirc"),
        *("credentials", "credentials.json", "secrets.toml", "client_secret_12.json"),
        *("id_rsa.bak", "server.key.bak", ".netrc.old", "id_rsa (copy)", "id_rsa (1)", ".netrc~"),
        *("id_rsa.bak.2", "server.key.orig", ".id_rsa.swp", "credentials copy.json", "id_rsa_old"),
        *("prod.env", "secrets.prod.yaml", "secrets.bak.enc.yaml", ".vault-token", ".vault_pass"),
        *("service-account.json", "kaggle.json", ".git-credentials", ".ssh/config", ".aws/x"),
    ],
)
def test_secret_names_are_known(path: str) -> None:
    assert is_secret_file(path)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "train.py",
            "environment.yml",
            "env.py",
            "key.py",
            "monkey",
            "keys/readme.md",
            "a.pem.txt",
        ),
        *(
            "credentials.py",
            "secrets.py",
            "id_rsa.pub",
            "id_rsa.pub.bak",
            "train.py.bak",
            ".env.example~",
            "secrets.prod.py",
            ".env.example",
            "params.env",
            "tokenizer.json",
        ),
    ],
)
def test_other_names_are_not_secret(path: str) -> None:
    assert not is_secret_file(path)
