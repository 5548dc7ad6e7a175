"""Which modules of the library a script depends on, so that a rule can name them as its inputs."""

import ast
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]


@cache
def code_files(script: str) -> tuple[str, ...]:
    """Return a script and every `graft` module that it imports, directly or not, as paths.

    The script comes first, the modules sorted after it. Imports inside functions count too.

    >>> [Path(name).name for name in code_files("graft/storage/disk.py")]
    ['disk.py', '__init__.py']
    """
    start = SCRIPTS / script
    found, waiting = {start}, [start]
    while waiting:
        for module in imported_by(waiting.pop()) - found:
            found.add(module)
            waiting.append(module)
    if start.is_relative_to(SCRIPTS / "graft"):
        found.add(SCRIPTS / "graft" / "__init__.py")
    return (str(start), *sorted(str(path) for path in found - {start}))


def imported_by(path: Path) -> set[Path]:
    """Return the files of the `graft` modules that one source file imports, each package's `__init__.py` included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    files = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == "graft":
            files |= {file for end in range(1, len(parts) + 1) for file in files_of(parts[:end])}
    return files


def files_of(parts: list[str]) -> list[Path]:
    """Return the file of a module or package, or nothing if the name is a function or class."""
    base = SCRIPTS.joinpath(*parts)
    return [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]
