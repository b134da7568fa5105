"""Reading a Gage file: its good operations, and the faults of the others."""

from pathlib import Path

from gage.gagefile.build import build_operation
from gage.gagefile.cache import recall, remember
from gage.gagefile.errors import GagefileError
from gage.gagefile.model import Gagefile, Operation
from gage.gagefile.script import script_operation

__all__ = ["GagefileError", "load_gagefile", "script_operation"]


def load_gagefile(path: Path) -> Gagefile:
    """Read the Gage file at `path`; the suffix `.toml`, `.yaml` or `.json` says its format.

    Operations with faults are left out of `operations`, the good ones stay. A file that was
    read before and has not changed is neither parsed nor checked again.

    Raises:
        GagefileError: the file cannot be read at all.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GagefileError(path, error.strerror or str(error)) from None
    found = recall(path, content)
    if found is None:
        from gage.gagefile.check import check_document
        from gage.gagefile.document import read_document

        document = read_document(path, content)
        found = document.data, check_document(document)
        remember(path, content, *found)
    data, faults = found
    faulty = {fault.operation for fault in faults}
    wrong_keys = {fault.key for fault in faults if fault.operation is None}
    own = {
        key: str(value)
        for key, value in data.items()
        if key.startswith("$") and key not in wrong_keys
    }
    operations: dict[str, Operation] = {
        name: build_operation(name, table)
        for name, table in data.items()
        if not name.startswith("$") and name not in faulty and isinstance(table, dict)
    }
    return Gagefile(
        path=path,
        operations=operations,
        faults=faults,
        namespace=own.get("$namespace"),
        project_id=own.get("$project-id"),
        runs_dir=own.get("$runs-dir"),
    )
