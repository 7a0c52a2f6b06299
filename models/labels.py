"""Class names of the benchmarks, in the order of the network's outputs."""

LABELS = {
    "kws": (
        "down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown",
    ),
}  # fmt: skip
