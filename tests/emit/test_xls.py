"""Kernels as text, and their compilation."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.emit import xls as emit_xls
from flow.emit.kernels import KernelSpec, kernel_port, render_kernel
from flow.emit.xls import TEMPLATES, CompiledKernel, compile_kernels, run_dslx_tests
from flow.errors import ToolFailed, ToolMissing
from flow.graph.arithmetic import Requant, divide_constant, requantise
from flow.graph.types import TensorType
from flow.plan.hwplan import MacSpec, PoolSpec, RequantSpec

MAC = MacSpec("mac_a", 4, False, 4, 2, 6, 3, 14, False)
REQUANT = RequantSpec("requant_a", 2, 14, 0, 12, 4, 2, 0, 4, False, 0, 15)
RECIPROCAL, SHIFT = divide_constant(8, 124)
POOL = PoolSpec("pool_a", 1, 4, 4, False, 7, 1, 4, 124, RECIPROCAL, SHIFT, 0, 4, False, 0, 15)
SPECS: tuple[KernelSpec, ...] = (MAC, REQUANT, POOL)

RANDOM_CASES = 60


def compile_one(spec: KernelSpec, folder: Path, **more: object) -> CompiledKernel:
    arguments = {"jobs": 1, "timeout_s": 60, "cache_dir": None, "use_dsp": {}} | more
    return compile_kernels([spec], folder, **arguments)[0]  # type: ignore[arg-type]


def test_arith_passes_its_own_tests_and_quickchecks(tmp_path: Path) -> None:
    source = tmp_path / "arith.x"
    source.write_text((TEMPLATES / "arith.x").read_text())
    result = run_dslx_tests(source)
    assert len(result.run) == source.read_text().count("#[")
    assert result.failures == {}


def test_a_wrong_dslx_test_is_reported_by_name(tmp_path: Path) -> None:
    source = tmp_path / "arith.x"
    text = (TEMPLATES / "arith.x").read_text()
    source.write_text(text.replace("s5:-2)", "s5:-1)").replace("u64:8389", "u64:8388"))
    assert set(run_dslx_tests(source).failures) == {
        "average_rounds_half_up_test",
        "average_by_125_is_exact",
    }


def test_dslx_requantise_equals_the_contract_for_random_shapes(tmp_path: Path) -> None:
    """Each case is one #[test], so that XLS's interpreter compares it with `requantise`."""
    rng = random.Random(3)
    cases = "\n".join(_requantise_test(index, rng) for index in range(RANDOM_CASES))
    source = tmp_path / "cases.x"
    source.write_text("import arith;\n" + cases)
    (tmp_path / "arith.x").write_text((TEMPLATES / "arith.x").read_text())
    result = run_dslx_tests(source)
    assert len(result.run) == RANDOM_CASES
    assert result.failures == {}


def test_rendering_is_deterministic_and_says_that_it_is_generated() -> None:
    for spec in SPECS:
        text = render_kernel(spec, "1.2.3")
        assert text == render_kernel(spec, "1.2.3")
        assert text.startswith("// shiftflow 1.2.3: generated, do not edit.\n")
        assert max(map(len, text.splitlines())) <= 100


def test_a_mac_of_one_step_has_neither_accumulator_nor_counter() -> None:
    text = render_kernel(replace(MAC, steps=1), "0")
    assert "State" not in text and "Step" not in text and "arith::accumulate" not in text


def test_a_kernel_has_the_promised_ports(tmp_path: Path) -> None:
    kernels = compile_kernels(
        SPECS, tmp_path, jobs=2, timeout_s=60, cache_dir=None, use_dsp={MAC.name: False}
    )
    for spec, kernel in zip(SPECS, kernels, strict=True):
        text = kernel.verilog.read_text()
        assert re.search(rf"^module {spec.name}\(", text, re.MULTILINE)
        ports = set(re.findall(r"^  (?:in|out)put wire (?:\[\S+\] )?(\w+)", text, re.MULTILINE))
        streams = [kernel_port(spec, stream) for stream in emit_xls.STREAMS[type(spec)]]
        assert ports == {"clk", "rst"} | {
            f"{stream}_t{part}" for stream in streams for part in ("data", "valid", "ready")
        }
        assert ('(* use_dsp = "no" *)\nmodule' in text) == (spec is MAC)
        assert str(tmp_path) not in text + kernel.source.read_text()


def test_a_dot_product_in_luts_has_planes_of_the_narrower_operand() -> None:
    assert "gated" not in render_kernel(MAC, "0")
    assert "gated(bit, x, w)" in render_kernel(MAC, "0", use_dsp=False)
    narrow_x = render_kernel(replace(MAC, x_bits=2), "0", use_dsp=False)
    assert "gated(bit, w, x)" in narrow_x
    assert "- (plane" not in narrow_x  # x is not signed
    assert "gated" not in render_kernel(replace(MAC, simd=1), "0", use_dsp=False)


def test_an_unknown_stream_has_no_port() -> None:
    with pytest.raises(KeyError, match="'pool_a' has streams"):
        kernel_port(POOL, "w")


def test_a_second_compilation_comes_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compile_one(MAC, tmp_path / "a", cache_dir=tmp_path / "cache")
    monkeypatch.setattr(emit_xls, "WORKER_ARGUMENTS", ("-c", "raise SystemExit(1)"))
    second = compile_one(MAC, tmp_path / "b", cache_dir=tmp_path / "cache")
    assert second.verilog.read_text() == first.verilog.read_text()
    with pytest.raises(ToolFailed):
        compile_one(replace(MAC, steps=4), tmp_path / "b", cache_dir=tmp_path / "cache")


def test_a_failing_kernel_raises_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emit_xls, "render_kernel", lambda spec, version, use_dsp: "proc {")
    with pytest.raises(ToolFailed, match="'mac_a\\.x'") as failure:
        compile_one(MAC, tmp_path)
    assert "ParseError" in failure.value.log.read_text()


def test_a_timeout_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit_xls, "WORKER_ARGUMENTS", ("-c", "import time; time.sleep(60)"))
    with pytest.raises(ToolFailed, match="exit code 124"):
        compile_one(MAC, tmp_path, timeout_s=1)


def test_a_missing_xls_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit_xls, "find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match="xls-python"):
        compile_one(MAC, tmp_path)


def _requantise_test(index: int, rng: random.Random) -> str:
    acc_bits, const_bits = rng.randint(2, 45), rng.randint(2, 45)
    pre_shift, shift_min, delta = rng.choice((0, 0, 2)), rng.randint(0, 20), rng.randint(0, 7)
    acc, constant = _signed(rng, acc_bits), _signed(rng, const_bits)
    bits, signed = rng.choice((4, 8, 16)), rng.random() < 0.5
    low = -(1 << (bits - 1)) if signed else 0
    y = TensorType(bits, signed, 0, rng.randint(low, low + 3), low, low + (1 << bits) - 1)
    folded = Requant(pre_shift, np.array([constant]), np.array([shift_min + delta]), y)
    expected = int(requantise(np.array([acc]), folded)[0])
    spec = RequantSpec(
        "r",
        1,
        acc_bits,
        pre_shift,
        const_bits,
        shift_min,
        3,
        y.zero_point,
        bits,
        signed,
        y.lo,
        y.hi,
    )
    out = _parameter(spec, "out_bits")
    return f"""#[test]
fn case_{index}_test() {{
    let y = arith::requantise<u32:{_parameter(spec, "sum_bits")}, u32:{out}, u32:{pre_shift},
        u32:{shift_min}, s64:{y.zero_point}, s64:{y.lo}, s64:{y.hi}>(
        sN[{acc_bits}]:{acc}, sN[{const_bits}]:{constant}, u3:{delta});
    assert_eq(y, sN[{out}]:{expected});
}}
"""


def _parameter(spec: RequantSpec, name: str) -> int:
    position = {"sum_bits": 0, "out_bits": 1}[name]
    return int(re.findall(r"u32:(\d+)", render_kernel(spec, "0").split("requantise<")[1])[position])


def _signed(rng: random.Random, bits: int) -> int:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return rng.choice((low, high, -1, 0, rng.randint(low, high), rng.randint(low, high)))


def test_each_kind_of_kernel_has_the_pipeline_that_its_clock_needs(tmp_path: Path) -> None:
    """Addition, shift and clip of a requantiser lie in stages of their own."""
    assert compile_one(REQUANT, tmp_path).pipeline_stages >= 3
    in_dsps = compile_one(MAC, tmp_path / "dsp", use_dsp={MAC.name: True})
    in_luts = compile_one(MAC, tmp_path / "lut", use_dsp={MAC.name: False})
    registers = re.compile(r"reg (\[\d+:\d+\] )?__k__x_reg;")
    assert registers.search(in_dsps.verilog.read_text())  # operands beside the DSP
    assert not registers.search(in_luts.verilog.read_text())
