"""Write docs/commands.md and docs/messages.md: every command, by its own help, and every message, from the code."""

import argparse
import ast
import contextlib
import importlib.util
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import library  # noqa: F401

# isort: split
from graft.errors import run_script
from graft.storage.files import atomic

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ROOT / "workflow" / "commands"
SOURCES = ROOT / "workflow" / "scripts"
WIDTH = "100"  # of the help texts, in characters

OF_COMMANDS = """\
# Every command

Written from the Makefile and from each command's `--help` by `make schema`; do not edit.

## make

Options: `CORES=8` (4), `GPUS=2` (1), `CONFIG=mine.yaml`, `PYTHON=python3.12`.

| command | what it does |
|---|---|
"""

OF_MESSAGES = """\
# Every message

Written from the code by `make schema`; do not edit. A mistake in a configuration, a folder or a table ends a run in one
line that begins with `graft:`, with exit code 1 and nothing half written. An ellipsis stands for what differs: a
name, a number, a path.
"""


def main(argv: list[str] | None = None) -> None:
    """Write both pages."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    for name, text in (("commands.md", commands()), ("messages.md", messages())):
        with atomic(ROOT / "docs" / name) as part:
            part.write_text(text, encoding="utf-8")


def commands() -> str:
    """Return the page of commands."""
    targets = re.findall(r"^([a-z-]+):.*?## (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    rows = "".join(f"| `make {name}` | {what} |\n" for name, what in targets)
    parts = [f"\n## {path.name}\n\n```text\n{help_of(path)}```\n" for path in scripts()]
    return OF_COMMANDS + rows + "".join(parts)


def scripts() -> list[Path]:
    """Return every command, in order of name; `library.py` is none."""
    return [path for path in sorted(COMMANDS.glob("*.py")) if path.name != "library.py"]


def help_of(path: Path) -> str:
    """Return what a command prints for `--help`."""
    spec = importlib.util.spec_from_file_location(f"command_{path.stem}", path)
    assert spec is not None, path
    assert spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [f"python workflow/commands/{path.name}"]),
        mock.patch.dict(os.environ, {"COLUMNS": WIDTH}),
        contextlib.redirect_stdout(said),
        contextlib.suppress(SystemExit),
    ):
        module.main(["--help"])
    return re.sub(r"\(default: \d+\)", "(default: as many as there are)", said.getvalue())


def messages() -> str:
    """Return the page of messages, a section for each room of the library."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        parts = path.relative_to(SOURCES).parts
        room = "scripts of the rules" if len(parts) == 1 else parts[1].removesuffix(".py")
        found.setdefault(room, []).extend(sentences(path.read_text(encoding="utf-8")))
    sections = [
        f"\n## {room}\n\n" + "".join(f"- {text}\n" for text in sorted(set(own), key=str.lower))
        for room, own in found.items()
        if own
    ]
    return OF_MESSAGES + "".join(sections)


def sentences(source: str) -> Iterator[str]:
    """Yield what each `raise UserError(...)` of a source says, with an ellipsis for each value.

    >>> list(sentences('raise UserError(f"{key} is {value!r}, which is no file")'))
    ['… is …, which is no file']
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            call = node.exc
            if isinstance(call.func, ast.Name) and call.func.id == "UserError" and call.args:
                text = re.sub(r"(… ?)+", "… ", words_of(call.args[0])).replace("… ,", "…,").strip()
                text = re.sub(r"… ([,.;:)])", r"…\1", text)
                if re.search(r"[a-z]{3}", text):
                    yield escaped(text)


def words_of(node: ast.expr) -> str:
    """Return the words of a string, a formatted string, or a sum of them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(words_of(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return words_of(node.left) + words_of(node.right)
    return "…"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([*_<>\[\]|])", r"\\\1", " ".join(text.split())) if "`" not in text else " ".join(text.split())


if __name__ == "__main__":
    run_script(main)
