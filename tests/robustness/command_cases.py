"""Wrong use of the other commands."""

from __future__ import annotations

import json

from tests.robustness.case import Case, folder, text, together

REPORT = "reports/kws/report.json"


def report(content: object) -> object:
    """A report of the run kws."""
    return together(folder("reports/kws"), text(REPORT, json.dumps(content)))


CASES = (
    Case("compare with one run", "compare kws",
         "the following arguments are required: RUN_B.\n"
         "  See: python flow/build.py compare --help"),
    Case("compare runs that are not there", "compare kws kws-lfe5u-85f",
         "there is no report 'kws': neither kws nor reports/kws/report.json exists.\n"
         "  Runs with a report: none yet."),
    Case("compare a missing file", "compare old.json new.json",
         "there is no report 'old.json': neither old.json nor "
         "reports/old.json/report.json exists.\n"
         "  Runs with a report: none yet."),
    Case("compare with a broken report", "compare old.json old.json",
         "cannot read the report old.json: it is not JSON.\n"
         "  Make the report again with this version: python flow/build.py --model NAME",
         text("old.json", '{"schema": ')),
    Case("compare with a list", "compare old.json old.json",
         "old.json is no report: it has no key 'schema'.\n"
         "  Make the report again with this version: python flow/build.py --model NAME",
         text("old.json", "[]")),
    Case("compare with a binary file", "compare old.json old.json",
         "cannot read the report old.json: it is not JSON.\n"
         "  Make the report again with this version: python flow/build.py --model NAME",
         lambda place: (place.folder / "old.json").write_bytes(b"\x89PNG\xff")),
    Case("compare with another schema", "compare old.json old.json",
         "old.json has schema 99; this version reads 1.\n"
         "  Make the report again with this version: python flow/build.py --model NAME",
         text("old.json", '{"schema": 99}')),
    Case("compare with an incomplete report", "compare old.json old.json",
         "old.json: 23 keys not as this version writes them:\n"
         "  run: is missing\n"
         "  quant: is missing\n"
         "  target: is missing\n"
         "  created_utc: is missing\n"
         "  git_commit: is missing\n"
         "  seed: is missing\n"
         "  tools: is missing\n"
         "  accuracy: is missing\n"
         "  input: is missing\n"
         "  layers: is missing\n"
         "  profile_samples: is missing\n"
         "  timing: is missing\n"
         "  not_run: is missing\n"
         "  notes: is missing\n"
         "  weight_tensors: is missing\n"
         "  stages: is missing\n"
         "  device: is missing\n"
         "  provenance: is missing\n"
         "  engine: is missing\n"
         "  sim: is missing\n"
         "  network: is missing\n"
         "  synth: is missing\n"
         "  vitis: is missing\n"
         "  Make the report again with this version: python flow/build.py --model NAME",
         text("old.json", '{"schema": 1, "model": "kws"}')),
    Case("compare with a negative limit", "compare a b --limit -1",
         "argument --limit: '-1' is not allowed; choose a number of 0 or more.\n"
         "  See: python flow/build.py compare --help"),
    Case("compare with a limit in words", "compare a b --limit much",
         "argument --limit: 'much' is not allowed; choose a number of 0 or more.\n"
         "  See: python flow/build.py compare --help"),
    Case("compare with an infinite limit", "compare a b --limit inf",
         "argument --limit: 'inf' is not allowed; choose a number of 0 or more.\n"
         "  See: python flow/build.py compare --help"),
    Case("clean what is not there", "clean kws",
         "there is no run 'kws': neither build/kws nor reports/kws holds results of "
         "the flow.\n"
         "  Runs: none."),
    Case("clean above the results", "clean ..",
         "'..' is no name of a run, but a path.\n"
         "  Name a run as in build/, such as kws.", text("notes", "mine")),
    Case("clean a path", "clean ../kws",
         "'../kws' is no name of a run, but a path.\n"
         "  Name a run as in build/, such as kws."),
    Case("clean the root", "clean /",
         "'/' is no name of a run, but a path.\n"
         "  Name a run as in build/, such as kws."),
    Case("clean a folder of one's own", "clean kws",
         "there is no run 'kws': neither build/kws nor reports/kws holds results of "
         "the flow.\n"
         "  Runs: none.",
         together(folder("build/kws"), text("build/kws/thesis.txt", "mine"))),
    Case("clean the cache by name", "clean cache",
         "'cache' is no run.\n"
         "  To remove build/cache, say: clean --cache", folder("build/cache/xls")),
    Case("fetch nothing", "fetch",
         "the following arguments are required: NAME.\n"
         "  See: python flow/build.py fetch --help"),
    Case("fetch what is unknown", "fetch imagenet",
         "data set 'imagenet' is unknown; choose one of: kws, ad, ic, vww."),
    Case("fetch what has no checksum", "fetch vww",
         "data set 'vww' (Visual Wake Words, from COCO 2014) cannot be fetched: the "
         "flow does not convert it yet.\n"
         "  Get it by hand from "
         "https://github.com/mlcommons/tiny/tree/master/benchmark/training/visual_wake_"
         "words; licence: annotations CC BY 4.0 (COCO consortium); each image has its "
         "own licence on Flickr."),
    Case("fetch into a file", "fetch kws",
         "cannot write to {tmp}/notes: File exists.\n"
         "  Make it writable, or name another folder: SHIFTFLOW_DATA=FOLDER.",
         together(text("notes", ""), lambda place: place.monkeypatch.setenv(
             "SHIFTFLOW_DATA", str(place.folder / "notes")))),
    Case("unknown option of doctor", "doctor --fix",
         "unrecognized arguments: --fix.\n"
         "  See: python flow/build.py doctor --help"),
)  # fmt: skip
