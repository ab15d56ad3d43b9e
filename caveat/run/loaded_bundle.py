"""A bundle loaded once, for study after study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..inference.answers.run_studies import facts_of_run, measure_study
from ..reasons import StudyRefused
from ..run_bundle import load_workflow, refusals_unwrapped
from ..transforms.output.outcome import Outcome
from ..transforms.study.input_sha256 import input_sha256
from ..transforms.study.studies import Studies
from .job import Job


class LoadedBundle:
    """Measures studies as `monai.bundle run` on the same config would.

    Args:
        job: what to load.

    Attributes:
        facts: of the run, see `facts_of_run`.

    Raises:
        StudyRefused: weights, settings or an output that are refused.
    """

    def __init__(self, job: Job) -> None:
        with refusals_unwrapped():
            parser = load_workflow(job.bundle, job.configs, {**job.overrides, "datalist": Studies(())}).parser
            self.evaluator, self.writer = (parser.get_parsed_content(name) for name in ("evaluator", "writer"))
            self.facts = facts_of_run(self.evaluator, self.writer, parser.get_parsed_content("settings"))
        self.writer.facts = self.facts

    def measure(self, study: Mapping[str, Any]) -> Outcome:
        """Measure or refuse one study, see `measure_study`. Raises: StudyRefused: of the output."""
        return measure_study(self.evaluator, self.writer, study)

    def refuse(self, study: Mapping[str, Any], code: str) -> Outcome:
        """Write that a study was given up, unless it stands there all the same. Raises: StudyRefused: of the output."""
        study = {**study, "input_sha256": input_sha256(study["image"])}
        done, edited = self.writer.stands(study)
        if done is None:
            self.writer.refuse(study, StudyRefused(code))
        return done or self.writer.outcome(study, edited=edited)
