"""Where a user changes what the planner was told: `config.yaml`, an option, or an hls4ml script."""

RAISE_CYCLES = (
    "Raise the cycles per frame: target_ii_cycles in config.yaml, --cycles, or ii_cycles in an "
    "hls4ml script"
)


def layer_setting(name: str = "", key: str = "") -> str:
    """The places of all layers' settings, of one layer's, or of one of them."""
    path = ".".join(filter(None, ("models.<model>.layers", name, key)))
    inner = f"{{{key!r}: ...}}" if key else "{...}"
    value = f"{{{name!r}: {inner}}}" if name else "{...}"
    return f"{path} in config.yaml, or layers={value} in an hls4ml script"
