"""Kernels of `flow.emit.kernels`, compiled to Verilog by XLS.

Contract of a compiled kernel: module `spec.name`, ports `clk`, `rst` (synchronous, active high)
and `<stream>_tdata/_tvalid/_tready` for each of `STREAMS[type(spec)]`; element 0 at the LSB. With
no stalls it takes one beat of each input per cycle, and a beat accepted in cycle t is on offer at
the output in cycle t + `pipeline_stages`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flow import __version__
from flow.emit._xls_options import kernel_options
from flow.emit.kernels import STREAMS, TEMPLATES, KernelSpec, render_kernel
from flow.errors import ToolFailed, ToolMissing

ARITHMETIC = "arith.x"
WORKER = Path(__file__).with_name("_xls_worker.py")
# -P: with the worker's folder on the path, `import xls` there would find this module.
WORKER_ARGUMENTS = ("-P", str(WORKER))
TIMEOUT_EXIT_CODE = 124


@dataclass(frozen=True, slots=True)
class CompiledKernel:
    """A kernel's Verilog. `seconds` is its compile time, near 0 when it came from the cache."""

    name: str
    source: Path
    verilog: Path
    pipeline_stages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class DslxTests:
    """Names of the tests and quickchecks that ran, and why those that failed did."""

    run: tuple[str, ...]
    failures: Mapping[str, str]


def compile_kernels(
    specs: Sequence[KernelSpec],
    rtl_dir: Path,
    *,
    jobs: int,
    timeout_s: int,
    cache_dir: Path | None,
    use_dsp: Mapping[str, bool],
    progress: Callable[[str, float], None] | None = None,
) -> tuple[CompiledKernel, ...]:
    """Write `<name>.x` and `<name>.v` of every kernel, and `arith.x`, into `rtl_dir`.

    Args:
        use_dsp: by kernel name; False keeps synthesis from using DSPs for its products, an
            absent name means True.
        progress: called with name and seconds as each kernel is ready, from worker threads.

    Raises:
        ToolMissing: xls-python is not installed.
        ToolFailed: a kernel did not compile, ran into the timeout, or is slower than one beat per
            cycle; the log stays in `rtl_dir`.
    """
    if find_spec("xls") is None:
        raise ToolMissing("xls-python", "compiling kernels", "Install the locked requirements.")
    rtl_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TEMPLATES / ARITHMETIC, rtl_dir / ARITHMETIC)

    def compile_one(spec: KernelSpec) -> CompiledKernel:
        started = time.monotonic()
        source = rtl_dir / f"{spec.name}.x"
        dsp = use_dsp.get(spec.name, True)
        _write(source, render_kernel(spec, __version__, use_dsp=dsp))
        options = kernel_options(spec, dsp)
        text = _verilog_text(spec.name, source, options, timeout_s, cache_dir)
        verilog = source.with_suffix(".v")
        _write(verilog, _finish(text, spec, dsp))
        seconds = time.monotonic() - started
        if progress is not None:
            progress(spec.name, seconds)
        stages = _pipeline_stages(text) + int(options["flop_inputs"])
        return CompiledKernel(spec.name, source, verilog, stages, seconds)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        futures = [pool.submit(compile_one, spec) for spec in specs]
        try:
            return tuple(future.result() for future in futures)
        finally:
            for future in futures:
                future.cancel()


def run_dslx_tests(path: Path, *, timeout_s: int = 120) -> DslxTests:
    """Run the tests and quickchecks of a DSLX file.

    Raises:
        ToolFailed: the file does not compile; the error is in the message.
    """
    log = path.with_suffix(".xls.log")
    answer = _work(
        {"job": "test", "source": str(path), "search": [str(path.parent)]}, log, timeout_s
    )
    return DslxTests(tuple(answer["run"]), answer["failures"])


def _verilog_text(
    name: str, source: Path, options: dict[str, Any], timeout_s: int, cache_dir: Path | None
) -> str:
    cached = cache_dir / f"{_content_hash(name, source, options)}.v" if cache_dir else None
    if cached is not None and (stored := _read_checked(cached)) is not None:
        return stored
    verilog = source.with_suffix(".xls.v")
    log = source.with_suffix(".xls.log")
    request = {
        "job": "compile",
        "source": str(source),
        "search": [str(source.parent)],
        "module": name,
        "verilog": str(verilog),
        "options": options,
    }
    answer = _work(request, log, timeout_s)
    if answer["initiation_interval"] != 1:
        log.write_text(f"XLS achieved an initiation interval of {answer}, not 1.\n")
        raise ToolFailed(f"kernel {name!r}", _command(request), 1, log)
    text = verilog.read_text()
    verilog.unlink()
    if cached is not None:
        cached.parent.mkdir(parents=True, exist_ok=True)
        _write(cached, _digest(text) + "\n" + text)
    return text


def _read_checked(cached: Path) -> str | None:
    """A cached text whose first line, its SHA-256, still holds; None makes it again."""
    try:
        digest, text = cached.read_text().split("\n", 1)
    except (OSError, ValueError):
        return None
    return text if digest == _digest(text) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _content_hash(name: str, source: Path, options: dict[str, Any]) -> str:
    parts = [
        metadata.version("xls-python"),
        json.dumps(options, sort_keys=True),
        WORKER.read_text(),
        (TEMPLATES / ARITHMETIC).read_text(),
        name,
        source.read_text(),
    ]
    return _digest("\0".join(parts))


def _work(request: dict[str, Any], log: Path, timeout_s: int) -> dict[str, Any]:
    command = _command(request)
    what = f"XLS job {request['job']!r} on {Path(request['source']).name!r}"
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        log.write_text(f"stopped after {timeout_s} s\n")
        raise ToolFailed(what, command, TIMEOUT_EXIT_CODE, log) from error
    if done.returncode or not done.stdout.strip():
        log.write_text(done.stdout + done.stderr)
        raise ToolFailed(what, command, done.returncode, log)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _command(request: dict[str, Any]) -> list[str]:
    return [sys.executable, *WORKER_ARGUMENTS, json.dumps(request)]


def _pipeline_stages(text: str) -> int:
    return max((int(stage) for stage in re.findall(r"\bp(\d+)_", text)), default=0) + 1


def _finish(text: str, spec: KernelSpec, use_dsp: bool) -> str:
    streams = "|".join(STREAMS[type(spec)])
    text = re.sub(rf"\bk__({streams})_(tdata|tvalid|tready)\b", r"\1_\2", text)
    attribute = "" if use_dsp else '(* use_dsp = "no" *)\n'
    text = re.sub(r"^module ", f"{attribute}module ", text, count=1, flags=re.MULTILINE)
    return f"// shiftflow {__version__}: generated, do not edit.\n{text}"


def _write(path: Path, text: str) -> None:
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    staged.write_text(text)
    staged.replace(path)
