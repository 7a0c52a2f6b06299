"""Runs one XLS job in a process of its own: some malformed DSLX crashes the process.

Started by path, not as a module, with one JSON request as its argument; it imports nothing of this
project. The answer is one line of JSON on standard output.
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import xls

MODULE = "k"  # becomes the prefix of every channel in the Verilog text: k__x_tdata
PROC = "Kernel"
QUICKCHECK_CASES = 2000
SEED = 1


def compile_kernel(request: dict[str, Any]) -> dict[str, Any]:
    """Compile proc `Kernel` of a DSLX file; write Verilog, say what XLS says of the pipeline."""
    source = Path(request["source"])
    ir = _convert(source.read_text(), str(source), MODULE, request["search"])
    optimised = xls.optimize_ir(ir, f"__{MODULE}__{PROC}_0_next")
    package = xls.parse_ir_package(optimised)
    result = package.schedule_and_codegen(module_name=request["module"], **request["options"])
    Path(request["verilog"]).write_text(result.get_verilog_text())
    return {"initiation_interval": _initiation_interval(package.to_string())}


def run_tests(request: dict[str, Any]) -> dict[str, Any]:
    """Run every #[test] and #[quickcheck] of a DSLX file in the IR interpreter.

    This XLS package has no DSLX test runner. An `assert_eq` outside of #[test] becomes an assertion
    of the IR, so each test is converted as the plain function that it is without its attribute.
    """
    source = Path(request["source"])
    text = source.read_text()
    tests = re.findall(r"#\[test\]\s*fn (\w+)", text)
    quickchecks = re.findall(r"#\[quickcheck\]\s*fn (\w+)", text)
    plain = re.sub(r"#\[(test|quickcheck)\]", "", text)
    package = xls.parse_ir_package(_convert(plain, str(source), MODULE, request["search"]))
    failures = {name: _failure_of_test(package, name) for name in tests}
    failures |= {name: _failure_of_quickcheck(package, name) for name in quickchecks}
    return {"run": list(failures), "failures": {k: v for k, v in failures.items() if v}}


def _convert(text: str, path: str, module: str, search: list[str]) -> str:
    ir: str = xls.convert_dslx_to_ir(text, path, module, additional_search_paths=search)
    return ir


def _initiation_interval(ir: str) -> int | None:
    found = re.search(r"initiation_interval\D*(\d+)", ir)
    return int(found.group(1)) if found else None


def _failure_of_test(package: Any, name: str) -> str:
    function = package.get_function(f"__itok__{MODULE}__{name}")
    try:
        function.interpret([xls.c_api.xls_value_make_token(), xls.c_api.xls_value_make_true()])
    except RuntimeError as error:
        return str(error)
    return ""


def _failure_of_quickcheck(package: Any, name: str) -> str:
    function = package.get_function(f"__{MODULE}__{name}")
    widths = [int(width) for width in re.findall(r"bits\[(\d+)\]", _parameters(function))]
    generator = random.Random(SEED)
    for _ in range(QUICKCHECK_CASES):
        values = [_random_or_extreme(generator, width) for width in widths]
        arguments = [
            xls.parse_typed_value(f"bits[{width}]:{value}")
            for width, value in zip(widths, values, strict=True)
        ]
        if not function.interpret(arguments).get_bits().get_bit(0):
            return f"false for {values} (unsigned)"
    return ""


def _parameters(function: Any) -> str:
    return str(function.get_type().to_string()).split("->")[0]


def _random_or_extreme(generator: random.Random, width: int) -> int:
    top = (1 << width) - 1
    extremes = (0, 1, top, top >> 1, (top >> 1) + 1)
    return generator.choice((*extremes, *(generator.randint(0, top) for _ in range(5))))


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    answer = {"compile": compile_kernel, "test": run_tests}[job["job"]](job)
    print(json.dumps(answer))
