"""A whole run in one process, as `monai.bundle run` asks for it; and the one way in which a study is measured, anywhere."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import monai
import numpy
import torch

import caveat

from ...transforms.output.outcome import Outcome
from ...transforms.output.run_folder import RunFolder
from ...transforms.output.study_folder import WriteStudyd
from ...transforms.place.shared_mask import refuse_shared_mask
from ...transforms.study.input_sha256 import input_sha256
from .study_evaluator import StudyEvaluator

MAY_BE_FILES = ("record", "roi", "point", "configs")
"""Settings that are given as text where they name a file, or a folder."""


def run_studies(
    evaluator: StudyEvaluator,
    writer: WriteStudyd,
    studies: Sequence[dict[str, Any]],
    settings: Mapping[str, Any],
    resume: bool = False,
) -> dict[str, int]:
    """Measure every study into the writer's folder, one after the other.

    Args:
        evaluator, writer: of the bundle's config.
        studies: entries of `find_studies`.
        settings: what of the config makes this run another one, beside the inferer's own.
        resume: go on with the same run where the folder holds it.

    Returns:
        how many studies were "measured", "nothing_found", "refused".

    Raises:
        StudyRefused: OUTPUT_OF_ANOTHER_RUN, OUTPUT_OCCUPIED, OUTPUT_NOT_WRITABLE; WRONG_USAGE for one mask and several studies.
    """
    for where in ("roi", "point"):
        refuse_shared_mask(settings.get(where), len(studies))
    writer.facts = facts_of_run(evaluator, writer, settings)
    folder = RunFolder.begin(writer.output_dir, writer.facts, studies, resume)
    try:
        for study in folder.studies:
            folder.note(measure_study(evaluator, writer, study))
    finally:
        counts = folder.finish()
    return counts


def measure_study(evaluator: StudyEvaluator, writer: WriteStudyd, study: Mapping[str, Any]) -> Outcome:
    """Measure or refuse one study, unless it stands there already, of this run and of the same input.

    Raises:
        StudyRefused: OUTPUT_OCCUPIED, OUTPUT_NOT_WRITABLE.
    """
    start = time.monotonic()
    study = {**study, "input_sha256": input_sha256(study["image"])}
    done, edited = writer.stands(study)
    if done is not None:
        return done
    evaluator.measure(study)
    return writer.outcome(study, time.monotonic() - start, edited=edited)


def facts_of_run(evaluator: StudyEvaluator, writer: WriteStudyd, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What makes equal runs equal: versions, bundle, settings as they were resolved. No path: files enter by their sha256."""
    inferer, network = evaluator.inferer, evaluator.network
    sampling = {
        "sampler": type(network).__name__,
        "sampler_settings": network.settings,
        "draws": inferer.resolve_draws(network),
        **{name: getattr(inferer, name) for name in ("seed", "roi_size", "overlap", "blending", "precision", "budget_mib")},
        "link": inferer.link.name,
        "temperature": inferer.link.temperature,
        "device": torch.device(evaluator.state.device).type,
    }
    return {
        "versions": {
            "caveat": caveat.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "monai": monai.__version__,
            "numpy": numpy.__version__,
        },
        "bundle": dict(writer.bundle),
        "settings": _plain({**sampling, **settings}),
    }


def _plain(value: Any) -> Any:
    """Settings as JSON holds them; a path as the sha256 of what it names."""
    if isinstance(value, Mapping):
        named = {key: Path(one) if key in MAY_BE_FILES and isinstance(one, str) else one for key, one in value.items()}
        return {str(key): _plain(one) for key, one in named.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Path):
        return {"sha256": _of_path(value)}
    return value


def _of_path(path: Path) -> str:
    """Of a file, or of the JSON and YAML files in a folder: records, which a bundle may lack with their folder, or configs."""
    files = [path] if path.is_file() else sorted(file for kind in ("*.json", "*.yaml") for file in path.glob(kind))
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
