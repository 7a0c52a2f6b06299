"""Class names of the benchmarks, by label; but for ad, in the order of the network's outputs."""

LABELS = {
    "ad": ("normal", "anomaly"),
    "ic": (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ),
    "kws": (
        "down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown",
    ),
    "vww": ("no person", "person"),
    "vww_effnet": ("no person", "person"),
    "vww_mbv2": ("no person", "person"),
}  # fmt: skip
