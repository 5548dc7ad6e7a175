"""A finished run in; a folder out that can be given away, or put on Hugging Face's Hub as it is.

    python workflow/commands/bundle.py --run lesson --license cc-by-4.0 [--share a.jpg b.jpg]

The model, its exports with their proof, the predictor, and the card as README.md with its licence. No photo goes in
but those that --share names: only you know whether they may be shared.
"""

import argparse
import os
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.reporting import bundle
from graft.storage.files import atomic


def main(argv: list[str] | None = None) -> None:
    """Collect, check the card, say what is in the folder."""
    arguments = parse_arguments(argv)
    licence = bundle.Licence(arguments.license, arguments.license_name, arguments.license_link).checked()
    output = arguments.output or arguments.results / "bundles" / arguments.run
    if output.exists():
        raise UserError(f"{output} is there already: move it away, or name another folder with --output")
    bundle.check_whole(arguments.results / "runs" / arguments.run)
    if arguments.share:
        from graft.machine import runtime

        runtime.start(seed=0, threads=os.cpu_count() or 1)
    with atomic(output) as folder:
        folder.mkdir()
        files = bundle.collect(arguments.results / "runs" / arguments.run, folder, licence, arguments.share)
        checked = bundle.check_card(folder / "README.md", licence)
    size = sum((output / name).stat().st_size for name in files) / 1e6
    print(f"bundle: {output}: {len(files)} files, {size:.1f} MB: {', '.join(top_of(files))}")
    if not any(name.startswith("exports/") for name in files):
        print("bundle: without exports, since the run has none: list some in its experiment's exports")
    library_of_hub = (
        "read by the Hub's own library" if checked else "not checked: make exports-setup brings its library"
    )
    print(f"bundle: the card says {licence.identifier}; {library_of_hub}")


def top_of(files: list[str]) -> list[str]:
    """Return files, those of a folder under its name alone.

    >>> top_of(["README.md", "exports/onnx/model.onnx", "exports/onnx/predict.py"])
    ['README.md', 'exports/onnx/']
    """
    return list(dict.fromkeys("/".join(name.split("/")[:2]) + "/" * (name.count("/") > 1) for name in files))


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument("--license", default="", help="under which the model may be used: an identifier of the Hub's")
    parser.add_argument("--license-name", default="", help="with --license other: what it is called")
    parser.add_argument("--license-link", default="", help="with --license other: where it is written")
    parser.add_argument("--share", nargs="*", default=[], type=Path, help="photos that may be shared, as examples")
    parser.add_argument("--results", default=Path("results"), type=Path, help="where the run lies")
    parser.add_argument("--output", type=Path, help="the folder to write; RESULTS/bundles/RUN")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
