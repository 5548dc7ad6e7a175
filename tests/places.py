"""Where the checkout lies, and where the real photos and weights do."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
