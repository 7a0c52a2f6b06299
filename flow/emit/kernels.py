"""Kernels in DSLX: rendered from their specification. `flow.emit.xls` compiles them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flow.graph.arithmetic import signed_bits
from flow.plan.hwplan import MacSpec, PoolSpec, RequantSpec
from flow.templates import render

TEMPLATES = Path(__file__).parents[2] / "hls_templates" / "xls"

LIMB_BITS = 17  # of a constant factor, as in arith.x

KernelSpec = MacSpec | RequantSpec | PoolSpec

STREAMS: dict[type, tuple[str, ...]] = {
    MacSpec: ("x", "w", "acc"),
    RequantSpec: ("acc", "p", "y"),
    PoolSpec: ("x", "y"),
}


def render_kernel(spec: KernelSpec, version: str, *, use_dsp: bool = True) -> str:
    """Return the DSLX text of one kernel.

    Args:
        version: of the tool, for the header.
        use_dsp: False lays a dot product out for LUTs, as bit planes instead of products.
    """
    header = f"shiftflow {version}: generated, do not edit."
    if isinstance(spec, MacSpec):
        template, values = "mac.x.j2", _mac_values(spec, use_dsp)
    elif isinstance(spec, RequantSpec):
        template, values = "requant.x.j2", _requant_values(spec)
    else:
        template, values = "pool.x.j2", _pool_values(spec)
    fields = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
    return render(TEMPLATES / template, header=header, **fields, **values)


def kernel_port(spec: KernelSpec, stream: str) -> str:
    """Return the prefix of a stream's ports on the compiled module.

    Raises:
        KeyError: the kernel has no such stream.
    """
    if stream not in STREAMS[type(spec)]:
        raise KeyError(f"kernel {spec.name!r} has streams {STREAMS[type(spec)]}, not {stream!r}")
    return stream


def requant_widths(spec: RequantSpec) -> tuple[int, int]:
    """Bits of the sum that is shifted, and of that shifted by shift_min with zero_point."""
    sum_bits = max(spec.acc_bits + spec.mult_bits + spec.pre_shift, spec.const_bits) + 1
    scaled_bits = max(sum_bits - spec.shift_min, 1)
    ends = (spec.zero_point, spec.lo, spec.hi)
    return sum_bits, max(scaled_bits, signed_bits(min(ends), max(ends))) + 1


def pool_widths(spec: PoolSpec) -> tuple[int, int, int]:
    """Bits of the numerator and of its product (unsigned), and of the result before clipping."""
    product_max = spec.numerator_max * spec.reciprocal
    largest = product_max >> spec.shift
    ends = (0, largest, spec.offset, largest + spec.offset, spec.lo, spec.hi)
    return (
        max(spec.numerator_max.bit_length(), 1),
        max(product_max.bit_length(), 1),
        signed_bits(min(ends), max(ends)),
    )


def _mac_values(spec: MacSpec, use_dsp: bool) -> dict[str, Any]:
    x_elements = spec.pe if spec.depthwise else spec.simd
    return {
        "x_type": _bits_type(spec.x_bits, spec.x_signed),
        "x_width": x_elements * spec.x_bits,
        "row_width": spec.simd * spec.w_bits,
        "w_width": spec.pe * spec.simd * spec.w_bits,
        "acc_width": spec.pe * spec.acc_bits,
        "tree_levels": (spec.simd - 1).bit_length(),
        **_plane_values(spec, use_dsp),
        **_step_values(spec.steps),
    }


def _plane_values(spec: MacSpec, use_dsp: bool) -> dict[str, Any]:
    """Bit planes of the narrower operand, least significant first; none where products are used."""
    w_is_narrow = spec.w_bits <= spec.x_bits
    narrow_bits, signed = (spec.w_bits, True) if w_is_narrow else (spec.x_bits, spec.x_signed)
    planes = [(bit, "+") for bit in range(narrow_bits)]
    if signed:
        planes[-1] = (narrow_bits - 1, "-")
    wide, narrow = ("x", "w") if w_is_narrow else ("w", "x")
    in_luts = not use_dsp and spec.simd > 1
    return {"planes": planes if in_luts else [], "wide": wide, "narrow": narrow}


def _requant_values(spec: RequantSpec) -> dict[str, Any]:
    sum_bits, out_bits = requant_widths(spec)
    return {
        "sum_bits": sum_bits,
        "out_bits": out_bits,
        "param_bits": spec.param_bits,
        "y_type": _bits_type(spec.y_bits, spec.y_signed),
        "acc_width": spec.lanes * spec.acc_bits,
        "param_width": spec.lanes * spec.param_bits,
        "y_width": spec.lanes * spec.y_bits,
    }


def _pool_values(spec: PoolSpec) -> dict[str, Any]:
    _, product_bits, out_bits = pool_widths(spec)
    return {
        "product_bits": product_bits + 1,
        "limbs": -(-spec.reciprocal.bit_length() // LIMB_BITS),
        "out_bits": out_bits,
        "y_type": _bits_type(spec.y_bits, spec.y_signed),
        "x_width": spec.pe * spec.x_bits,
        "y_width": spec.pe * spec.y_bits,
        **_step_values(spec.steps),
    }


def _step_values(steps: int) -> dict[str, int]:
    return {"step_bits": (steps - 1).bit_length(), "last_step": steps - 1}


def _bits_type(bits: int, signed: bool) -> str:
    return f"{'s' if signed else 'u'}N[{bits}]"
