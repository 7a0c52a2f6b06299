"""Benches of the units in `hls_templates/rtl`."""
