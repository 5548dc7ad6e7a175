"""Print a conda environment with the versions that requirements.txt pins, for Snakemake's conda deployment.

Snakemake copies an environment file before it uses it, so a `-r requirements.txt` in it would not be found.
"""

import re
from pathlib import Path

HEADER = """\
# Made from requirements.txt by `make pins`; do not edit.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.12
  - pip
  - pip:
"""
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?==[^\s\\;]+)(?:\s*;\s*(.*?))?\s*\\?$")


def environment(lock: str) -> str:
    """Return the environment for the text of a lock."""
    pins = [match for line in lock.splitlines() if (match := PIN.match(line))]
    lines = [f'      - "{pin[1]} ; {pin[2]}"' if pin[2] else f"      - {pin[1]}" for pin in pins]
    return HEADER + "\n".join(line.replace(" ; ", "; ") for line in lines) + "\n"


if __name__ == "__main__":
    print(environment(Path(__file__).with_name("requirements.txt").read_text()), end="")
