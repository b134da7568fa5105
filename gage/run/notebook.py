"""Execute a notebook where it lies: `python -m gage.run.notebook train.ipynb`.

Cells run in order in one kernel. What they print goes to our own standard output and error
as it comes, so that it is recorded like any program's; the notebook is written back with its
outputs, also when a cell fails.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["NotebookError", "execute_notebook", "main"]

_HINT = "Try 'pip install nbclient nbformat ipykernel' in this environment"


class NotebookError(Exception):
    """A notebook cannot be executed at all; the text says which and why."""


def main(argv: list[str] | None = None) -> int:
    """Execute the notebook named in `argv`; the exit status is 0, or 1 when a cell fails."""
    words = sys.argv[1:] if argv is None else argv
    if len(words) != 1:
        sys.stderr.write("gage: Usage: python -m gage.run.notebook NOTEBOOK\n")
        return 2
    try:
        return execute_notebook(Path(words[0]))
    except ImportError as error:
        sys.stderr.write(
            f"gage: Cannot execute notebooks: {error.name} is not installed\n{_HINT}\n"
        )
        return 1
    except NotebookError as error:
        sys.stderr.write(f"gage: {error}\n")
        return 1


def execute_notebook(path: Path) -> int:
    """Execute `path` in its directory and write it back; 0, or 1 when a cell failed.

    Raises:
        ImportError: nbclient or nbformat is not installed.
        NotebookError: the file is no notebook, or there is no kernel for it.
    """
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellExecutionError

    notebook = _read(path)
    client = _printing_client()(notebook, timeout=None, resources=_resources(path))
    try:
        client.execute()
    except CellExecutionError as error:
        # The traceback has been printed as the cell's output.
        sys.stderr.write(f"{path}: {error.ename}: {error.evalue}\n")
        return 1
    except NoSuchKernel as error:
        problem = f"Cannot execute {path}: no kernel {error.name!r} is installed"
        raise NotebookError(f"{problem}\n{_HINT}") from None
    finally:
        _write_back(notebook, path)
    return 0


def _read(path: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it has no types
    except OSError as error:
        raise NotebookError(f"Cannot read {path}: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001 - whatever nbformat trips over is the file's fault
        problem = str(error).partition("\n")[0][:200]
        raise NotebookError(f"{path} is not a notebook: {problem}") from None


def _printing_client() -> Any:
    """A client that shows each output the moment the kernel sends it."""
    from nbclient import NotebookClient

    class PrintingClient(NotebookClient):
        def create_kernel_manager(self) -> Any:
            manager = super().create_kernel_manager()
            if manager.has_trait("transport_encryption"):
                # Else other users of the machine could listen, and newer kernels warn of it.
                manager.transport_encryption = "auto"
            return manager

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            _show(msg["msg_type"], msg["content"])
            return super().process_message(msg, cell, cell_index)

    return PrintingClient


def _show(kind: str, content: Any) -> None:
    if kind == "stream":
        stream = sys.stderr if content["name"] == "stderr" else sys.stdout
        stream.write(content["text"])
        stream.flush()
    elif kind in ("execute_result", "display_data"):
        text = content["data"].get("text/plain")
        if text:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
    elif kind == "error":
        sys.stderr.write("\n".join(content["traceback"]) + "\n")
        sys.stderr.flush()


def _resources(path: Path) -> dict[str, Any]:
    return {"metadata": {"path": str(path.parent.resolve())}}


def _write_back(notebook: Any, path: Path) -> None:
    """Replace the notebook whole: a kill must not leave half of one."""
    import nbformat

    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".notebook-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        nbformat.write(notebook, file)  # type: ignore[no-untyped-call]  # it has no types
    os.replace(draft, path)


if __name__ == "__main__":
    sys.exit(main())
