"""The commands of `flow/build.py`, one module each, with `main(arguments) -> exit code`."""
