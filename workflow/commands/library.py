"""Lets a command find Graft's library, which lies beside the rules' scripts: to be imported before it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
