"""Prepares Yosys and nextpnr for their first use: python -m flow.synth.warm_up

The last step of the set-up.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from flow.errors import ToolFailed
from flow.synth import nextpnr, yosys


def main() -> int:
    """Run each tool once; 1 and a message when one does not start."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            yosys.prepare(Path(folder))
            nextpnr.prepare(Path(folder))
        except ToolFailed as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
