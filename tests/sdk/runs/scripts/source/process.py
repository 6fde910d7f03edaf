"""The step of a FrameworkProcessor: a module beside it, arguments, an output."""

from __future__ import annotations

import sys
from pathlib import Path

from beside import doubled

numbers = [doubled(int(word)) for word in sys.argv[1:]]
Path("/opt/ml/processing/output/numbers.txt").write_text("\n".join(map(str, numbers)))
