"""Prepares Yosys for its first use, as the last step of the set-up: python -m flow.synth.warm_up"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from flow.errors import ToolFailed
from flow.synth.yosys import prepare


def main() -> int:
    """Run Yosys once; 1 and a message when it does not start."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            prepare(Path(folder))
        except ToolFailed as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
