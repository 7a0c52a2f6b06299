"""What hls4ml's users expect of `build()`: its own dictionary of a project's reports."""

from __future__ import annotations

from typing import Any

from flow.emit.vitis.project import VitisProject
from flow.emit.vitis.testbench import CSIM_RESULTS
from flow.emit.vitis.tool import COSIM_RESULTS
from flow.synth.vitis._hls4ml import parse_all
from flow.synth.vitis.csynth import cosim_report, csynth_report
from flow.synth.vitis.vivado import UTILISATION


def hls4ml_report(project: VitisProject) -> dict[str, Any]:
    """The result of `hls4ml.report.parse_vivado_report`, by its keys and with its meanings.

    It holds the reports that are there: 'CSimResults', 'CosimResults', 'CSynthesisReport',
    'VivadoSynthReport' (whose BRAM_18K are tiles of 36 kbit), 'CosimReport'.

    Raises:
        DataError: the reader fails on a report.
    """
    csynth, cosim = csynth_report(project), cosim_report(project)
    places = {
        f"{{solution}}/syn/report/{csynth.name}": csynth,
        f"{{solution}}/sim/report/{cosim.name}": cosim,
        **{name: project.root / name for name in (UTILISATION, CSIM_RESULTS, COSIM_RESULTS)},
    }
    return parse_all(project.name, places)
