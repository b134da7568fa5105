"""What is recorded about a run: console, system, source files, git, packages."""

__all__: list[str] = []
