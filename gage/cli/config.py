"""`gage config`: settings, where each is from, and setting them."""

import json as jsonlib
import os
import sys
from collections.abc import Sequence

from gage.cli.options import JSON, Argument, Command, flag
from gage.cli.place import shown_path, working_dir
from gage.cli.settings import project_dir
from gage.cli.table import Column, table_lines
from gage.cli.terminal import clean, is_colour, terminal_width
from gage.core.errors import GageError, UsageError
from gage.core.settings import (
    SETTINGS,
    Origin,
    Setting,
    Settings,
    SettingValue,
    load_settings,
    project_file,
    user_file,
)
from gage.core.values import JsonValue

__all__ = ["COMMAND", "NoValue", "run"]

COMMAND = Command(
    about="""
        ACTION is 'list', 'get', 'set', 'unset' or 'explain'. Without it, the settings are listed
        with their values and where each is from; 'explain' shows what a value overrides, too.

        Your own file is what 'set' and 'unset' change, or with --project the file of the project;
        everything else in it stays as it is.
    """,
    arguments=(
        Argument(
            "ACTION",
            "action",
            "Name what to do",
            choices=("list", "get", "set", "unset", "explain"),
        ),
        Argument("SETTING", "setting", "Name a setting, such as user.name"),
        Argument("VALUE", "value", "Set this value; a list has commas"),
    ),
    options=(
        flag("--user", help="Use your own file, as without an option"),
        flag("--project", help="Use the file of the project"),
        JSON,
    ),
    exclusive=(("user", "project"),),
)

_WORDS = {
    "list": (False, False),
    "get": (True, False),
    "set": (True, True),
    "unset": (True, False),
    "explain": (None, False),
}
"""Action to whether it takes SETTING and VALUE; None where it may."""


class NoValue(GageError):
    """A setting has no value, and no default."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Setting '{name}' has no value", hint=f"Try 'gage config set {name}'")
        self.name = name


def run(
    *,
    action: str | None,
    setting: str | None,
    value: str | None,
    user: bool,
    project: bool,
    json: bool,
) -> int:
    """Show or change settings."""
    action = action or "list"
    _check_words(action, setting, value, has_file=user or project)
    if setting is None:
        return _list(json=json, explain=action == "explain")
    if action == "unset":
        return _unset(setting, project=project)
    known = _setting(setting)
    if value is not None:
        return _set(known, value, project=project)
    settings = _settings()
    if action == "explain":
        _print_explained(settings, [known], json=json)
    else:
        _print_value(settings.origin(setting), setting, json=json)
    return _report(settings, json=json)


def _check_words(action: str, setting: str | None, value: str | None, *, has_file: bool) -> None:
    """Refuse a word too many or too few.

    Raises:
        UsageError: which it is.
    """
    hint = f"Try 'gage config {action}{' SETTING' if action != 'list' else ''}'"
    needs_setting, needs_value = _WORDS[action]
    if setting is None and needs_setting:
        raise UsageError(f"Action '{action}' needs a setting", hint="Try 'gage config list'")
    if setting is not None and needs_setting is False:
        raise UsageError(f"Action '{action}' takes no setting", hint=f"Try 'gage config {action}'")
    if value is None and needs_value:
        raise UsageError(
            "Action 'set' needs a value", hint=f"Try 'gage config set {setting} VALUE'"
        )
    if value is not None and not needs_value:
        raise UsageError(f"Action '{action}' takes no value", hint=hint)
    if has_file and action not in {"set", "unset"}:
        raise UsageError(f"Action '{action}' shows all files, not one", hint=hint)


def _setting(name: str) -> Setting:
    if name not in SETTINGS:
        from gage.core.settings_file import UnknownSetting

        raise UnknownSetting(name)
    return SETTINGS[name]


def _settings() -> Settings:
    return load_settings(project_dir(working_dir()))


def _list(*, json: bool, explain: bool) -> int:
    settings = _settings()
    if explain:
        _print_explained(settings, list(SETTINGS.values()), json=json)
    elif json:
        _print_json([_entry(name, settings.origin(name)) for name in SETTINGS])
    else:
        _print_list(settings)
    return _report(settings, json=json)


def _report(settings: Settings, *, json: bool) -> int:
    """Say what is wrong with what is set; the exit status is 1 if something is."""
    from gage.cli.errors import report_error

    for problem in settings.problems:
        report_error(problem, as_json=json)
    return 1 if settings.problems else 0


def _print_list(settings: Settings) -> None:
    columns = (
        Column("setting"),
        Column("value", least=8, rank=1, share=2),
        Column("source", rank=3),
        Column("where", least=12, rank=2),
        Column("overrides", rank=4),
    )
    rows = []
    for name in SETTINGS:
        origin = settings.origin(name)
        others = dict.fromkeys(o.source for o in origin.overridden if o.source != "default")
        place = _shown_place(origin)
        rows.append([name, _text(origin.value), origin.source, place, ", ".join(others)])
    lines = table_lines(columns, rows, width=terminal_width(), colour=is_colour(settings))
    sys.stdout.write("\n".join(lines) + "\n")


def _print_value(origin: Origin, name: str, *, json: bool) -> None:
    if json:
        _print_json(_entry(name, origin))
    elif origin.value is None:
        raise NoValue(name)
    else:
        sys.stdout.write(_text(origin.value) + "\n")


def _print_explained(settings: Settings, chosen: Sequence[Setting], *, json: bool) -> None:
    if json:
        found: list[JsonValue] = [_explained(each, settings.origin(each.name)) for each in chosen]
        _print_json(found[0] if len(chosen) == 1 else found)
        return
    blocks = [_block(setting, settings.origin(setting.name)) for setting in chosen]
    sys.stdout.write("\n\n".join("\n".join(map(clean, block)) for block in blocks) + "\n")


def _block(setting: Setting, origin: Origin) -> list[str]:
    """A setting, what it is, and every value it was given, the one that counts first."""
    kind = f"one of {', '.join(setting.choices)}" if setting.choices else f"a {setting.kind}"
    free = "; a project may set it" if setting.in_project else ""
    lines = [setting.name, f"  {setting.help}", f"  {kind}; variable {setting.variable}{free}", ""]
    rows = [
        [_text(each.value) or "(no value)", each.source, _shown_place(each), note]
        for each, note in ((origin, ""), *((other, "overridden") for other in origin.overridden))
    ]
    columns = (Column("value"), Column("source"), Column("where"), Column(""))
    return [*lines, *(f"  {line}" for line in table_lines(columns, rows, width=None)[1:])]


def _set(setting: Setting, text: str, *, project: bool) -> int:
    from gage.core.settings_table import read_value
    from gage.store.settings_edit import set_setting

    try:
        value = read_value(setting, text, str(working_dir()))
    except ValueError as error:
        hint = f"Try 'gage config explain {setting.name}'"
        raise UsageError(
            f"Setting '{setting.name}' needs {error}, not {text!r}", hint=hint
        ) from None
    if project and not setting.in_project:
        hint = f"Set it for yourself with 'gage config set {setting.name} VALUE'"
        raise UsageError(f"Setting '{setting.name}' is not a project's to set", hint=hint)
    path = _file(project=project)
    is_short = setting.kind == "path" and text.startswith("~")
    set_setting(path, setting, text if is_short else value)
    _warn_of_overriding(setting.name, path)
    return 0


def _unset(name: str, *, project: bool) -> int:
    from gage.store.settings_edit import unset_setting

    path = _file(project=project)
    unset_setting(path, name)
    if name in SETTINGS:
        _warn_of_overriding(name, path)
    return 0


def _file(*, project: bool) -> str:
    if not project:
        return user_file()
    directory = project_dir(working_dir())
    if directory is None:
        raise UsageError("There is no project here", hint="Go to a project, or use -C DIR")
    return project_file(directory)


def _warn_of_overriding(name: str, path: str) -> None:
    """Say so where what was just written is not what counts."""
    origin = _settings().origin(name)
    if origin.source == "default" or (origin.place or "").rpartition(":")[0] == path:
        return
    text = f"gage: Warning: '{name}' is {_text(origin.value)!r} by {origin.place} ({origin.source})"
    sys.stderr.write(clean(text) + "\n")


def _entry(name: str, origin: Origin) -> dict[str, JsonValue]:
    return {"name": name, **_given(origin), "overridden": [_given(o) for o in origin.overridden]}


def _explained(setting: Setting, origin: Origin) -> dict[str, JsonValue]:
    return {
        **_entry(setting.name, origin),
        "help": setting.help,
        "kind": setting.kind,
        "choices": list(setting.choices),
        "variable": setting.variable,
        "in_project": setting.in_project,
    }


def _given(origin: Origin) -> dict[str, JsonValue]:
    value: JsonValue = list(origin.value) if isinstance(origin.value, tuple) else origin.value
    return {"value": value, "source": origin.source, "place": origin.place}


def _print_json(value: JsonValue) -> None:
    sys.stdout.write(jsonlib.dumps(value, indent=2) + "\n")


def _text(value: SettingValue) -> str:
    if value is None:
        return ""
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _shown_place(origin: Origin) -> str:
    place = origin.place or ""
    return shown_path(place) if os.sep in place else place
