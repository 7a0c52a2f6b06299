"""A bench is safe to play from two processes at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flow.config import ROOT

PLAY = """
import sys
from rtl_sim.harness import PROFILES
from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench
first = int(sys.argv[1])
words = [(index + first) % 256 for index in range(100 + first)]
buffer = Instance("skid_buffer", {"WIDTH": 8}, [Stream("s", 8, words)], [Stream("m", 8, words)])
assert_clean(play_bench("two_at_once", [buffer], profiles=PROFILES[:2]))
"""


@pytest.mark.sim
def test_two_processes_play_different_words_in_one_bench() -> None:
    players = [
        subprocess.Popen(
            [sys.executable, "-c", PLAY, first], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for first in ("1", "2")
    ]
    for player in players:
        _, error = player.communicate(timeout=300)
        assert player.returncode == 0, error
