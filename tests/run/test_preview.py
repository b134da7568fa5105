"""What `gage run OP --help-op` tells of an operation's config."""

from tests.project import Project

GAGEFILE = """
[train]
exec = "true"

[[train.config]]
name = "data"
type = "string"
description = "Where the rows are"
required = true

[[train.config]]
name = "lr"
default = 2.0
required = true

[[train.config]]
name = "note"

[[train.config]]
name = "api_key"
required = true
"""


def test_a_key_that_waits_for_a_value_shows_none(project: Project) -> None:
    project.write("gage.toml", GAGEFILE)

    lines = project.gage("run", "train", "--help-op").stdout.splitlines()

    start = lines.index("Config:") + 1
    assert lines[start : lines.index("", start)] == [
        "  data     (Where the rows are; required)",
        "  lr       2  (required)",
        "  note     null",
        "  api_key  (required)",
    ]
    told = project.json("run", "train", "--help-op")["config"]
    assert (told["data"]["default"], told["data"]["required"]) == (None, True)
