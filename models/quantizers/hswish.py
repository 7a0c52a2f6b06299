"""QKeras' `quantized_hswish` (0.9.0), such that what it saves can be loaded."""

from typing import Any

from qkeras import quantizers


class quantized_hswish(quantizers.quantized_hswish):  # type: ignore[misc]  # QKeras has no types
    """The same function; QKeras' own does not take the `keep_negative` that it saves."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "quantized_hswish":
        """Build it from a configuration, also from one that QKeras saved."""
        return cls(**{key: value for key, value in config.items() if key != "keep_negative"})

    def __str__(self) -> str:
        """QKeras' own fails on an assertion."""
        return f"quantized_hswish({self.bits},{self.integer})"
