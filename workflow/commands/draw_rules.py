"""Draw which rule needs which, as a Mermaid flowchart in docs/architecture.md, from the rules themselves.

Snakemake lists every dependency; an arrow that only repeats a longer way is left out.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
START, END = "<!-- graph -->\n", "<!-- end of graph -->\n"


def main(argv: list[str] | None = None) -> None:
    """Replace the flowchart in the page."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(f"{before}{START}{flowchart()}{END}{rest.partition(END)[2]}", encoding="utf-8")


def flowchart() -> str:
    """Return the flowchart of the default job."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--rulegraph", "mermaid-js"]
    done = subprocess.run([*command, "--cores", "1", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", done.stdout))
    needs = {(names[one], names[other]) for one, other in re.findall(r"(id\d+) --> (id\d+)", done.stdout)}
    needs = {pair for pair in needs if "all" not in pair}
    arrows = "\n".join(f"    {one} --> {other}" for one, other in sorted(without_detours(needs)))
    return f"```mermaid\nflowchart TB\n{arrows}\n```\n"


def without_detours(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the pairs that no chain of other pairs replaces.

    >>> sorted(without_detours({("a", "b"), ("b", "c"), ("a", "c")}))
    [('a', 'b'), ('b', 'c')]
    """
    return {pair for pair in pairs if not is_reachable(*pair, pairs - {pair})}


def is_reachable(start: str, end: str, pairs: set[tuple[str, str]]) -> bool:
    """Return whether a chain of pairs leads from one name to another."""
    return any(one == start and (other == end or is_reachable(other, end, pairs)) for one, other in pairs)


if __name__ == "__main__":
    main()
