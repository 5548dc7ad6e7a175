"""Print a conda environment with the versions that locks pin, for Snakemake's conda deployment.

    python envs/conda_from_lock.py requirements.txt > envs/graft.yaml

Snakemake copies an environment file before it uses it, so a `-r requirements.txt` in it would not be found.
"""

import re
import sys
from pathlib import Path

HEADER = """\
# Made from {locks} by `make pins`; do not edit.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.12
  - pip
  - pip:
"""
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?==[^\s\\;]+)(?:\s*;\s*(.*?))?\s*\\?$")


def environment(lock: str, named: str = "requirements.txt") -> str:
    """Return the environment for the text of one lock or of several; what stands in two of them is taken once."""
    pins = [match for line in lock.splitlines() if (match := PIN.match(line))]
    lines = [f'      - "{pin[1]} ; {pin[2]}"' if pin[2] else f"      - {pin[1]}" for pin in pins]
    return HEADER.format(locks=named) + "\n".join(dict.fromkeys(line.replace(" ; ", "; ") for line in lines)) + "\n"


if __name__ == "__main__":
    names = sys.argv[1:] or ["requirements.txt"]
    texts = [Path(__file__).with_name(name).read_text() for name in names]
    print(environment("\n".join(texts), " and ".join(names)), end="")
