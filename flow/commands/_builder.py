"""What `build` does with its options: runs the stages of each model and shows what they found."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from flow.commands._attempt import Attempt
from flow.commands._ci_files import ci_files
from flow.commands._log import open_log
from flow.commands._paths import short
from flow.commands._waves import layer_checked, waves, waves_of_failure
from flow.commands._workplace import check_workplace
from flow.config import CONFIG_FILE, Config, choose, load_config
from flow.errors import ConfigError, FlowError
from flow.runs import Request, Run, prepare, simulated_samples, trained_quants
from flow.stages import STAGES, Finished, check_wanted, execute
from flow.summary import summarise
from flow.terminal import Terminal, print_table

SIMULATE = "simulate"  # the stage that --wav and --waves need


def build(options: argparse.Namespace) -> None:
    """Run the stages of each model, print what they found, write the files that were asked for.

    Raises:
        FlowError: wrong use, or a stage failed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with ci_files(options.junit, options.summary) as attempts:
        _check_looks(options)
        first, last = _stage_range(options)
        config = load_config(options.config or CONFIG_FILE)
        runs = [prepare(_request(options, model), config) for model in _models(options, config)]
        for run in runs:
            check_wanted(run, first, last)
            _check_waves(options, run)
            check_workplace(run)
        attempts += [Attempt(run.name, run, last) for run in runs]
        for run, attempt in zip(runs, attempts, strict=True):
            with attempt.noting_errors():
                _build_one(options, run, attempt, first)


def _check_looks(options: argparse.Namespace) -> None:
    """The options that look into the simulation need it, and one model."""
    frame: int | None = options.waves_frame
    if frame is not None and options.waves is None:
        raise ConfigError("--waves-frame needs --waves LAYER: name the layer to look at.")
    if frame is not None and frame < 0:
        raise ConfigError(f"--waves-frame {frame} is not allowed; choose 0 or more.")
    if (look := _look(options)) is None:
        return
    if options.model == "all":
        raise ConfigError(f"{look} looks into one model; name it with --model.")
    allowed = STAGES[STAGES.index(SIMULATE) :]
    last = choose("stage", options.last or SIMULATE, STAGES)
    if last not in allowed:
        raise ConfigError(
            f"{look} needs the stage {SIMULATE}, but --to {last} stops before it.\n"
            f"  Leave --to out, or choose one of: {', '.join(allowed)}."
        )


def _check_waves(options: argparse.Namespace, run: Run) -> None:
    """Waveforms are those of RTL; `--waves-frame` counts the frames that go through it."""
    if options.waves is not None and run.engine == "vitis":
        raise ConfigError(
            "--waves shows signals of RTL, and engine 'vitis' simulates C++, which has none.\n"
            "  Leave --waves out, or say --engine xls: its layers compute the same integers."
        )
    frame: int | None = options.waves_frame
    if frame is not None and frame >= (count := len(simulated_samples(run).y)):
        raise ConfigError(
            f"--waves-frame {frame} is not allowed: {count} frames go through RTL; "
            f"choose one of 0..{count - 1}."
        )


def _look(options: argparse.Namespace) -> str | None:
    """The option that looks into the simulation, if there is one."""
    if options.wav is not None:
        return "--wav"
    return "--waves" if options.waves is not None else None


def _stage_range(options: argparse.Namespace) -> tuple[str | None, str | None]:
    """First stage to make again and last stage to run; a look inside ends with the simulation."""
    given = options.last or (SIMULATE if _look(options) else None)
    first = choose("stage", options.first, STAGES) if options.first else None
    last = choose("stage", given, STAGES) if given else None
    if first and last and STAGES.index(first) > STAGES.index(last):
        stop = f"--to {last}" if options.last else f"{last}, the last stage for {_look(options)}"
        raise ConfigError(
            f"--from {first} comes after {stop}.\n  The order is: {', '.join(STAGES)}."
        )
    return (STAGES[0] if options.force else first), last


def _models(options: argparse.Namespace, config: Config) -> list[str]:
    if options.keras is not None:
        return [_own_model(options)]
    if options.model is None:
        raise ConfigError("no model is given.\n  Say for example: python flow/build.py --model kws")
    trained = [model for model in config.models if trained_quants(model)]
    return trained if options.model == "all" else [options.model]


def _own_model(options: argparse.Namespace) -> str:
    """The name of a user's own model, which goes without options that are of benchmarks."""
    keras: Path = options.keras
    for option, value in (("--model", options.model), ("--wav", options.wav)):
        if value is not None:
            raise ConfigError(
                f"{option} {value} is not available with --keras {keras}.\n"
                "  Leave one of the two out."
            )
    return keras.stem


def _request(options: argparse.Namespace, model: str) -> Request:
    return Request(
        model,
        options.quant,
        options.engine,
        options.target,
        options.io_type,
        options.data,
        options.frames,
        options.keras,
        options.cycles,
    )


def _build_one(options: argparse.Namespace, run: Run, attempt: Attempt, first: str | None) -> None:
    if options.wav is not None:
        from flow.listen import hear, recording

        speech = recording(run, options.wav)  # before any work is done for it
    open_log(run.folder / "build.log", options.verbose)
    logging.getLogger(__name__).info("run %s", run.name)
    _execute(options, run, attempt, first)
    finished = attempt.reached
    print_table(_found(finished))
    if options.wav is not None:
        with Terminal(run.name, "recording"):
            heard = hear(run, finished, speech)
        print_table(heard.lines())
    if options.waves is not None:
        with Terminal(run.name, "waveform"):
            lines = waves(run, options.waves, options.waves_frame)
        print_table(lines)


def _execute(options: argparse.Namespace, run: Run, attempt: Attempt, first: str | None) -> None:
    """Run the stages; a failing simulation leaves the waveform that was asked for."""
    layer, frame = options.waves, options.waves_frame
    with Terminal(run.name) as terminal:
        notify = attempt.listening(terminal.notify)
        if layer is not None:
            notify = layer_checked(notify, layer)
        try:
            attempt.finished = execute(run, force_from=first, until=attempt.last, notify=notify)
        except FlowError:
            if layer is not None and attempt.stage == SIMULATE:
                print_table(waves_of_failure(run, layer, frame))
            raise


def _found(finished: Finished) -> list[tuple[str, str]]:
    """Label and text of what the terminal shows about a run."""
    lines = summarise(finished)
    if finished.report is not None:
        lines += [
            ("report", short(finished.report / name)) for name in ("report.json", "index.html")
        ]
    return lines
