"""`import small` works in tests of training: the module beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
