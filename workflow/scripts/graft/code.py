"""What code a script depends on, as a digest: a rule's parameter, so that another computation runs again.

Comments, docstrings, blank lines and the way a line is broken change no result, so they do not count.
"""

import ast
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1]
RESOURCES = {"graft/figures/style.py": ("graft/figures/graft.mplstyle",)}  # files that a module reads, beside its code
KNOWN = Path(".snakemake", "graft-code.json")  # what was found of each file, since parsing all of them takes a second


def code_digest(script: str) -> str:
    """Return a digest of a script and of every module of the library that it imports.

    >>> code_digest("graft/disk.py") == code_digest("graft/disk.py")
    True
    """
    digest = hashlib.sha256()
    for path in code_files(script):
        digest.update(f"{Path(path).relative_to(SCRIPTS).as_posix()} {facts_of(Path(path))['digest']}\n".encode())
    return digest.hexdigest()[:16]


@cache
def code_files(script: str) -> tuple[str, ...]:
    """Return a script and every `graft` module that it imports, directly or not, and the files that these read.

    The script comes first, the others sorted after it. Imports inside functions count too.

    >>> [Path(name).name for name in code_files("graft/paths.py")]
    ['paths.py', '__init__.py']
    """
    start = SCRIPTS / script
    found, waiting = {start}, [start]
    while waiting:
        for module in imported_by(waiting.pop()) - found:
            found.add(module)
            waiting.append(module)
    if start.is_relative_to(SCRIPTS / "graft"):
        found.add(SCRIPTS / "graft" / "__init__.py")
    read = {SCRIPTS / name for path in found for name in RESOURCES.get(path.relative_to(SCRIPTS).as_posix(), ())}
    return (str(start), *sorted(str(path) for path in (found | read) - {start}))


def imported_by(path: Path) -> set[Path]:
    """Return the files of the `graft` modules that one source file names, and of the packages that they lie in."""
    files = set()
    for name in facts_of(path)["imports"]:
        parts = tuple(name.split("."))
        files |= {file for end in range(1, len(parts) + 1) for file in files_of(parts[:end])}
    return files


@cache
def files_of(parts: tuple[str, ...]) -> list[Path]:
    """Return the file of a module or package, or nothing if the name is a function or class."""
    base = SCRIPTS.joinpath(*parts)
    return [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]


@cache
def facts_of(path: Path) -> dict[str, Any]:
    """Return the digest of a file's code, and the names of the library that it imports.

    A file that is known from an earlier start, by its bytes, is not parsed again.
    """
    content = path.read_bytes()
    key = hashlib.sha256(content).hexdigest()
    if key not in known():
        known()[key] = parsed(content) if path.suffix == ".py" else {"digest": key[:16], "imports": []}
        known()[""] = {}  # there is something new to remember
    return known()[key]


def parsed(content: bytes) -> dict[str, Any]:
    r"""Return the facts of Python source.

    >>> parsed(b"x = 1  # one") == parsed(b'x = 1') == parsed(b'"A docstring."\nx = (1)')
    True
    """
    tree = ast.parse(content)
    imports = sorted(names_imported(tree))
    for node in ast.walk(tree):
        if hasattr(node, "body") and isinstance(node.body, list):
            node.body = [part for part in node.body if not is_text(part)]
    return {"digest": hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16], "imports": imports}


def is_text(node: ast.AST) -> bool:
    """Return whether a statement is a docstring, of a module, class, function or attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def names_imported(tree: ast.AST) -> set[str]:
    """Return the dotted names below `graft` that a module imports, those of functions and classes too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == "graft"}


@cache
def known() -> dict[str, dict[str, Any]]:
    """Return what earlier starts found, by the SHA-256 of a file's bytes."""
    try:
        return json.loads(KNOWN.read_text())
    except (OSError, ValueError):
        return {}


def remember() -> None:
    """Keep what was found for the next start; where that cannot be written, the next start parses again."""
    if known().pop("", None) is None:
        return
    part = KNOWN.with_name(f"{KNOWN.name}.{os.getpid()}")
    try:
        KNOWN.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps(known()))
        part.replace(KNOWN)
    except OSError:
        part.unlink(missing_ok=True)
