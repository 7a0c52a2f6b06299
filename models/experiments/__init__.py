"""Experiments on training: each is a program of its own, with its page in docs/."""
