"""Benchmark networks: quantizers, bit-widths, data, training and trained weights."""
