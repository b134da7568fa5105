"""Write resolved values into the staged files, and show what that changes."""

from pathlib import Path

from gage.run.config.model import ResolvedConfig

__all__ = ["apply_config", "preview_config"]


def apply_config(root: Path, resolved: ResolvedConfig) -> str:
    """Rewrite the staged files below `root` and return what changed as a unified diff.

    Only the literals that hold a changed value are replaced; every other byte, and each file's
    mode, stays. Secret values are never written and are masked in the diff.

    Raises:
        EditError: a value cannot be written so that the file reads back as recorded.
    """
    if not resolved.edits:
        return ""
    from gage.run.config.rewrite import rewrite_files

    return rewrite_files(root, resolved, write=True)


def preview_config(root: Path, resolved: ResolvedConfig) -> str:
    """The diff that `apply_config` would make, writing nothing.

    Raises:
        EditError: a value cannot be written so that the file reads back as recorded.
    """
    if not resolved.edits:
        return ""
    from gage.run.config.rewrite import rewrite_files

    return rewrite_files(root, resolved, write=False)
