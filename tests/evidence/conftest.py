"""The nodes in memory of the flows' tests, and the tests' own kit, on the path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))
