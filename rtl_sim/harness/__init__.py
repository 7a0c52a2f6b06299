"""Build RTL with Verilator, play stimuli through it, and read what its probes counted."""

from pathlib import Path

from rtl_sim.harness._hex import pack, unpack, write_hex, write_packed_hex
from rtl_sim.harness._play import play
from rtl_sim.harness._results import PROFILES, Profile, ProfileResult, Tap, TapResult
from rtl_sim.harness._verilator import Model, Run, build, lint, run

BENCH_LIB = Path(__file__).parent.parent / "lib"
UNIT_RTL = Path(__file__).parents[2] / "hls_templates" / "rtl"

__all__ = [
    "BENCH_LIB",
    "PROFILES",
    "UNIT_RTL",
    "Model",
    "Profile",
    "ProfileResult",
    "Run",
    "Tap",
    "TapResult",
    "build",
    "lint",
    "pack",
    "play",
    "run",
    "unpack",
    "write_hex",
    "write_packed_hex",
]
