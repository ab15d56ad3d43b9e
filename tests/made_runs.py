"""Runs of `caveat predict` whose studies are made up: the run's own files, without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from caveat.transforms.output.run_folder import RunFolder
from caveat.transforms.output.study_folder import WriteStudyd
from caveat.transforms.study.studies import Studies
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.result_json import ResultJsonWriter
from caveat.transforms.writers.writer import Writer

FACTS = {"versions": {"caveat": "1"}, "bundle": {"name": "discs"}, "settings": {"draws": 4, "roi_size": [8, 8]}}


def studies(*names: str) -> Studies:
    """The studies of a run, numbered from 1."""
    return Studies({"number": i, "name": name, "place": f"{name}.png", "image": ""} for i, name in enumerate(names, start=1))


def run(
    out: Path,
    listed: Studies,
    resume: bool = False,
    only: int | None = None,
    facts: Mapping[str, Any] = FACTS,
    writers: Sequence[Writer] = (ResultJsonWriter(),),
    study: Mapping[Any, Any] | None = None,
) -> dict[str, int]:
    """Write a run. Args: only: so many of its studies, as if it was stopped. study: what each is, else `example_study`."""
    folder = RunFolder.begin(out, facts, listed, resume)
    write = WriteStudyd(out, writers, facts["bundle"])
    write.facts = facts
    for one in folder.studies[:only]:
        entry = {**one, "input_sha256": one["name"]}
        done, edited = write.stands(entry)
        if done is None:
            write({**(study or example_study()), **entry})
        folder.note(done or write.outcome(entry, edited=edited))
    return folder.finish()
