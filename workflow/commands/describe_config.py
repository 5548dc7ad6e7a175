"""Write config/README.md and workflow/schemas/config.schema.json from the configuration's models."""

import argparse
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.config import describe
from graft.errors import run_script
from graft.storage.files import whole

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {
    ROOT / "config" / "README.md": describe.reference,
    ROOT / "workflow" / "schemas" / "config.schema.json": describe.json_schema,
}


def main(argv: list[str] | None = None) -> None:
    """Write both files."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    for path, text in GENERATED.items():
        with whole(path) as part:
            part.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    run_script(main)
