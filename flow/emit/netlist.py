"""Structural netlists as values: instances, streams, and the wiring between them.

Python decides everything here; `hls_templates/top/module.sv.j2` only lays it out as text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STREAM_SIGNALS = ("tdata", "tvalid", "tready")


@dataclass(frozen=True, slots=True)
class Stream:
    """A valid/ready stream; the signals are <name>_tdata, <name>_tvalid, <name>_tready."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Instance:
    """One module instance; a parameter's value is SystemVerilog text."""

    module: str
    label: str
    parameters: tuple[tuple[str, str], ...]
    ports: tuple[tuple[str, str], ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Rom:
    """Contents of one `$readmemh` file, element 0 of a word at its LSB."""

    path: str
    width: int
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a generated module; `width` 1 is a scalar."""

    direction: str
    name: str
    width: int


@dataclass(slots=True)
class ModuleBuilder:
    """Collects the body of one generated module."""

    name: str
    comment: str
    ports: list[Port] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    roms: list[Rom] = field(default_factory=list)
    kernels: list[str] = field(default_factory=list)

    def stream_port(self, direction: str, name: str, width: int) -> Stream:
        """Declare a stream port ('s' in, 'm' out) and return it as a stream."""
        forward, back = ("input", "output") if direction == "s" else ("output", "input")
        self.ports += [
            Port(forward, f"{name}_tdata", width),
            Port(forward, f"{name}_tvalid", 1),
            Port(back, f"{name}_tready", 1),
        ]
        return Stream(name, width)

    def stream(self, name: str, width: int) -> Stream:
        """Declare an internal stream."""
        made = Stream(name, width)
        self.streams.append(made)
        return made

    def add(
        self,
        module: str,
        label: str,
        parameters: dict[str, int | str],
        streams: dict[str, Stream],
        comment: str = "",
        extra: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Instantiate `module`; `streams` maps its port prefixes to streams.

        An integer parameter is written in decimal, a string parameter as given.
        """
        ports = [("clk", "clk"), ("rst", "rst")]
        for prefix, stream in streams.items():
            ports += [(f"{prefix}_{s}", f"{stream.name}_{s}") for s in STREAM_SIGNALS]
        self.instances.append(
            Instance(
                module,
                label,
                tuple((key, str(value)) for key, value in parameters.items()),
                (*ports, *extra),
                comment,
            )
        )
