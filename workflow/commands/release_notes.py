"""A version in; its part of CHANGELOG.md, the notes of its release, out on the terminal.

python workflow/commands/release_notes.py v0.1.0

It needs no package, so that it runs before anything is installed.
"""

import argparse
import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"


def main(argv: list[str] | None = None) -> None:
    """Print the notes, or say which versions there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="such as v0.1.0 or 0.1.0")
    parser.add_argument("--changelog", type=Path, default=CHANGELOG, help="the file to read")
    arguments = parser.parse_args(argv)
    parts = parts_of(arguments.changelog.read_text(encoding="utf-8"))
    version = arguments.version.removeprefix("v")
    if not parts.get(version):
        sys.exit(f"graft: {arguments.changelog.name} says nothing of {version}; it has {', '.join(parts)}")
    print(parts[version])


def parts_of(text: str) -> dict[str, str]:
    r"""Return what a changelog says of each version, newest first.

    >>> parts_of("# Changes\n\n## 0.2.0\n\nMore.\n\n## 0.1.0\n\nFirst.\n")
    {'0.2.0': 'More.', '0.1.0': 'First.'}
    """
    _, *pieces = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {name.strip(): body.strip() for name, body in zip(pieces[::2], pieces[1::2], strict=True)}


if __name__ == "__main__":
    main()
