"""Write the references of settings and files, and the settings' JSON schema, from the code that defines them."""

import argparse
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft import tables
from graft.config import describe
from graft.errors import run_script
from graft.storage.files import atomic

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {
    ROOT / "config" / "README.md": describe.reference,
    ROOT / "workflow" / "schemas" / "config.schema.json": describe.json_schema,
    ROOT / "workflow" / "schemas" / "config.schema.yaml": describe.catalog_schema,
    ROOT / "docs" / "files.md": tables.reference,
}


def main(argv: list[str] | None = None) -> None:
    """Write them all."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    for path, text in GENERATED.items():
        with atomic(path) as part:
            part.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    run_script(main)
