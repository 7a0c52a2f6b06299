"""Netlist of one layer's hardware unit."""

from __future__ import annotations

from collections.abc import Mapping

from flow.emit.kernels import kernel_port
from flow.emit.netlist import ModuleBuilder, Rom, Stream
from flow.emit.roms import parameter_words, weight_words
from flow.graph.types import AveragePool, MatVec
from flow.plan.hwplan import MacSpec, PoolSpec, RequantSpec, UnitPlan, WindowPlan
from flow.plan.supported import Supported


def unit_netlist(node: Supported, unit: UnitPlan, latencies: Mapping[str, int]) -> ModuleBuilder:
    """Window generator, MAC or pool kernel, requantisation and output FIFO of one layer.

    `latencies` holds the pipeline stages of each compiled kernel.
    """
    builder = ModuleBuilder(unit_module(unit), _describe(unit))
    source = builder.stream_port("s", "s", unit.in_elems * unit.x_bits)
    sink = builder.stream_port("m", "m", unit.lanes * unit.y_bits)
    beats = _input_path(builder, unit, node, source)
    result = builder.stream("result", sink.width)
    if isinstance(node, AveragePool):
        assert unit.pool is not None
        _kernel(builder, unit.pool, {"x": beats, "y": result})
    else:
        assert unit.mac is not None
        _compute_path(builder, unit, node, beats, result, latencies[unit.mac.name])
    builder.add(
        "stream_fifo",
        "u_fifo",
        {"WIDTH": sink.width, "DEPTH": unit.fifo_depth},
        {"s": result, "m": sink},
    )
    return builder


def unit_module(unit: UnitPlan) -> str:
    """Module name of a layer's unit."""
    return f"unit_{unit.name}"


def _input_path(builder: ModuleBuilder, unit: UnitPlan, node: Supported, source: Stream) -> Stream:
    """Everything between the unit's input and the kernel's x stream."""
    word_elems = unit.window.word_elems if unit.window else unit.x_elems
    stream = _convert(builder, "words", unit.x_bits, source, unit.in_elems, word_elems)
    if unit.window is not None:
        stream = _swg(builder, unit.window, node, stream)
    stream = _convert(builder, "gathered", unit.x_bits, stream, word_elems, unit.x_elems)
    if unit.repeat > 1:
        replayed = builder.stream("replayed", stream.width)
        builder.add(
            "replay",
            "u_replay",
            {"WIDTH": stream.width, "COUNT": unit.repeat},
            {"s": stream, "m": replayed},
            "each window serves all groups of output channels",
        )
        stream = replayed
    return stream


def _convert(
    builder: ModuleBuilder, name: str, bits: int, source: Stream, in_elems: int, out_elems: int
) -> Stream:
    if in_elems == out_elems:
        return source
    result = builder.stream(name, bits * out_elems)
    builder.add(
        "width_converter",
        f"u_{name}",
        {"ELEM_BITS": bits, "IN_ELEMS": in_elems, "OUT_ELEMS": out_elems},
        {"s": source, "m": result},
    )
    return result


def _swg(builder: ModuleBuilder, plan: WindowPlan, node: Supported, source: Stream) -> Stream:
    window = plan.window
    pad = sum(
        (node.x.zero_point & ((1 << node.x.bits) - 1)) << (position * node.x.bits)
        for position in range(plan.word_elems)
    )
    result = builder.stream("windows", source.width)
    builder.add(
        "swg",
        "u_swg",
        {
            "WORD_BITS": source.width,
            "H": plan.in_shape[0],
            "W": plan.in_shape[1],
            "KH": window.kernel_h,
            "KW": window.kernel_w,
            "SH": window.stride_h,
            "SW": window.stride_w,
            "PAD_TOP": window.pad_top,
            "PAD_LEFT": window.pad_left,
            "OH": plan.out_shape[0],
            "OW": plan.out_shape[1],
            "FOLDS": plan.folds,
            "REPLAY": plan.replay,
            "DEPTHWISE": int(plan.depthwise),
            "PAD_WORD": f"{source.width}'h{pad:x}",
            "RAM_STYLE": f'"{plan.ram_style}"',
        },
        {"s": source, "m": result},
    )
    return result


def _compute_path(
    builder: ModuleBuilder,
    unit: UnitPlan,
    node: MatVec,
    beats: Stream,
    result: Stream,
    mac_latency: int,
) -> None:
    """Weights and MAC, then requantisation with its per-channel parameters."""
    mac, requant = unit.mac, unit.requant
    assert mac is not None and requant is not None
    weights = _rom(
        builder,
        "weights",
        Rom(
            f"rom_{unit.name}_weights.hex",
            mac.pe * mac.simd * mac.w_bits,
            weight_words(node, unit),
        ),
        unit.weight_rom,
    )
    sums = builder.stream("sums", requant.lanes * mac.acc_bits)
    if mac.pe == requant.lanes:
        _free_running_mac(builder, mac, mac_latency, {"x": beats, "w": weights}, sums)
    else:
        _stalling_mac(builder, mac, requant.lanes, {"x": beats, "w": weights}, sums)
    parameters = _rom(
        builder,
        "parameters",
        Rom(
            f"rom_{unit.name}_parameters.hex",
            requant.lanes * requant.param_bits,
            parameter_words(node, requant),
        ),
        "distributed",
    )
    _kernel(builder, requant, {"acc": sums, "p": parameters, "y": result})


def _free_running_mac(
    builder: ModuleBuilder, mac: MacSpec, latency: int, streams: dict[str, Stream], sums: Stream
) -> None:
    """MAC and FIFO: stalls stop at the pipeline's entrance."""
    x = builder.stream("x", streams["x"].width)
    v = builder.stream("v", streams["w"].width)
    acc = builder.stream("acc", sums.width)
    builder.add(
        "free_run",
        "u_free_run",
        {"X_BITS": x.width, "W_BITS": v.width, "ACC_BITS": acc.width, "LATENCY": latency},
        {"s": streams["x"], "w": streams["w"], "x": x, "v": v, "acc": acc, "m": sums},
    )
    _kernel(builder, mac, {"x": x, "w": v, "acc": acc})


def _stalling_mac(
    builder: ModuleBuilder, mac: MacSpec, lanes: int, streams: dict[str, Stream], sums: Stream
) -> None:
    """MAC whose accumulators take turns at fewer lanes, and wait for them."""
    acc = builder.stream("acc", mac.pe * mac.acc_bits)
    _kernel(builder, mac, {**streams, "acc": acc})
    turns = _convert(builder, "lanes", mac.acc_bits, acc, mac.pe, lanes)
    builder.add(
        "skid_buffer",
        "u_sums",
        {"WIDTH": sums.width},
        {"s": turns, "m": sums},
        "keeps the output's stalls out of the MAC's handshake",
    )


def _rom(builder: ModuleBuilder, name: str, rom: Rom, style: str) -> Stream:
    stream = builder.stream(name, rom.width)
    builder.roms.append(rom)
    builder.add(
        "rom_stream",
        f"u_{name}",
        {
            "WIDTH": rom.width,
            "DEPTH": len(rom.words),
            "FILE": f'"{rom.path}"',
            "STYLE": f'"{style}"',
        },
        {"m": stream},
    )
    return stream


def _kernel(
    builder: ModuleBuilder,
    spec: MacSpec | RequantSpec | PoolSpec,
    streams: dict[str, Stream],
) -> None:
    builder.kernels.append(spec.name)
    ports = {kernel_port(spec, name): stream for name, stream in streams.items()}
    builder.add(spec.name, "u_" + spec.name.split("_")[0], {}, ports)


def _describe(unit: UnitPlan) -> str:
    return (
        f"Layer {unit.name}: {unit.kind.value}, PE {unit.pe}, SIMD {unit.simd}, "
        f"{unit.cycles.bound} cycles per frame (estimated)."
    )
