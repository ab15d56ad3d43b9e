"""Records of CV+ from the masks that an nnU-Net's folds left of the cases they had not seen."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..api.bundle import Bundle
from ..bundle_folders import choose_configs
from ..inference.calibration.answers import entries_of
from ..inference.calibration.calibrate import fit_records
from ..inference.calibration.case import Case, case_of
from ..inference.calibration.describe import describe
from ..inference.calibration.read_cases import Cases
from ..inference.calibration.record_file import write_record
from ..inference.calibration.rows import Row
from ..inference.calibration.settings import Calibration, read_calibration
from ..inference.engine.study_grid import element_of_grid
from ..inference.gate.image_scores import image_scores
from ..inference.reducers.draw_extent import NAME as DRAW_EXTENT
from ..inference.stored.stored_study import StoredStudy
from ..inference.stored.true_value import true_value
from ..inference.targets.drawn import Drawn
from ..inference.targets.target import Target
from ..inference.targets.volume import Volume
from ..reasons import StudyRefused
from ..run_bundle import refusals_unwrapped
from ..transforms.files.arrays import array_of
from ..transforms.output.study_folder import facts_of_input
from .nnunet_validation import HeldOut

SETTINGS = "calibrate_cross_validation"
"""The bundle's config that says how."""
SAME_SHARE = 1e-3
"""How far a size may differ where a mask is made again: another device rounds half precision otherwise. Or by two voxels."""


def write_records(bundle: Path, cases: Sequence[HeldOut], truth: str) -> list[dict[str, str]]:
    """Write the records, and which network has seen which image, into the bundle's `calibration/`.

    One case a fold is predicted again, by all networks as a new study is: that shows whether the masks are of these networks, and
    says what the records are valid for. The others of the fold have the sizes that nnU-Net counted when it had written all of it.

    Args:
        bundle: its folder. cases: see `TrainingSet.held_out`. truth: whose the labels are, in words.

    Returns:
        what the records say, see `describe`; half-widths are those of the studies that were predicted again.

    Raises:
        StudyRefused: NOT_OUT_OF_FOLD, TOO_FEW_UNITS, UNITS_SEEN_IN_TRAINING; what an image or a label is refused with.
    """
    settings = for_so_many(len({case.unit for case in cases}), read_calibration(bundle / "configs" / f"{SETTINGS}.yaml"))
    loaded = Bundle(bundle, choose_configs(bundle, None), {})
    rows = [row_of(case, loaded, settings) for case in cases]
    refuse_shared(rows)
    again = [predicted_again(loaded, case, row) for case, row in one_a_fold(cases, rows)]
    names = [target.name for target in settings.targets]
    by_name = {name: [row[index] for row in rows] for index, name in enumerate(names)}
    units = {entry["name"]: entry["unit"] for entry in again[0]["answers"]}
    made = fit_records(Cases(by_name, units, again, []), settings, source_of(rows) | {"truth": truth})
    seen = {row[0].sha256: [fold for fold in range(len(again)) if fold != row[0].fold] for row in rows}
    (bundle / "calibration" / "seen.json").write_text(json.dumps(dict(sorted(seen.items())), indent=1) + "\n", encoding="utf-8")
    for one in made:
        write_record(one.record, bundle / "calibration" / one.record.file_name)
    shown = {name: [(case_of(entries_of(result, [name])[0], result),) for result in again] for name in names}
    return [line for one in made for line in describe(one.record, shown[one.record.names[0]])]


def refuse_shared(rows: Sequence[Row]) -> None:
    """Refuse an image that stands under several names, of which a fold has seen another one, or that counts for two patients.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING.
    """
    places = {(row[0].sha256, row[0].unit, row[0].fold) for row in rows}
    if shared := len(places) - len({sha256 for sha256, *_ in places}):
        raise StudyRefused("UNITS_SEEN_IN_TRAINING", f"images of several patients or folds: {shared} of {len(rows)}")


def one_a_fold(cases: Sequence[HeldOut], rows: Sequence[Row]) -> list[tuple[HeldOut, Row]]:
    """The first case of each fold in which its network found something: where it found nothing, others find the same."""
    by_fold: dict[int, tuple[HeldOut, Row]] = {}
    for case, row in zip(cases, rows, strict=True):
        known = by_fold.setdefault(case.fold, (case, row))
        if not any(own.number for own in known[1]):
            by_fold[case.fold] = case, row
    return [by_fold[fold] for fold in sorted(by_fold)]


def for_so_many(units: int, settings: Calibration) -> Calibration:
    """The settings at those of their levels that so many units can serve, or at the lowest, which is then refused."""
    served = [level for level in settings.levels if units >= settings.needed(level)]
    return replace(settings, levels=served or [min(settings.levels)])


def row_of(case: HeldOut, bundle: Bundle, settings: Calibration) -> Row:
    """A case as its own fold measured it. What the other networks would say is not known, and never asked for."""
    with refusals_unwrapped():
        study = bundle.preprocessing({"image": source_of_study(case)})
    facts = {"input": facts_of_input(study)}
    grid = StoredStudy("", facts, {"segmentation": np.zeros(facts["input"]["shape"], np.uint8)})
    mask, label = (settings.truths.read({"label": str(path)}, Path(), grid)[0] for path in (case.mask, case.label))
    if any(np.count_nonzero(mask.labels == index) != size for index, size in case.sizes.items()):
        raise StudyRefused("NOT_OUT_OF_FOLD", "a mask is not the one that nnU-Net counted in its fold's validation/summary.json")
    about: dict[str, Any] = {"study": "", "unit": case.unit, "sha256": facts["input"]["sha256"], "fold": case.fold}
    about |= {"scores": image_scores(array_of(study, "image")[0])}
    found = np.count_nonzero(mask.labels) * element_of_grid(facts["input"]["affine"], facts["input"], 3).size
    about |= {"draw_scores": {DRAW_EXTENT: of_fold(found, case.fold, settings)}}
    row = []
    for target in settings.targets:
        if not isinstance(target, Target):
            raise TypeError(f"{target.name} is measured in no mask")
        value, truth = true_value(target, mask, facts), true_value(target, label, facts)
        draws = of_fold(value, case.fold, settings)
        row.append(Case(**about, name=target.name, value=value, draws=draws, truth=truth, counted=target.found(value)))
    return tuple(row)


def of_fold(value: float, fold: int, settings: Calibration) -> tuple[float, ...]:
    """What one fold's network says, in its place among all of them."""
    return tuple(value if network == fold else math.nan for network in range(settings.networks or 0))


def predicted_again(bundle: Bundle, case: HeldOut, row: Row) -> Mapping[str, Any]:
    """The result of a case as of a new study. Raises: StudyRefused: NOT_OUT_OF_FOLD where its own fold measures another size."""
    result = bundle.measure(source_of_study(case)).to_dict()
    element = element_of_grid(result["input"]["affine"], result["input"], 3)
    for own, entry in zip(row, entries_of(result, [one.name for one in row]), strict=True):
        voxel = Volume(own.name, own.name, (1,)).of(Drawn.of_one_element(element, (1,), 1))
        if abs(entry["draws"]["values"][case.fold] - own.number) > max(SAME_SHARE * own.number, 2 * voxel):
            raise StudyRefused(
                "NOT_OUT_OF_FOLD", "a mask is not what its fold's checkpoint_final.pth predicts: of the best one, or not mirrored"
            )
    return result


def source_of_study(case: HeldOut) -> str | list[str]:
    """As a study is read: a file, or one a channel."""
    files = [str(image) for image in case.images]
    return files[0] if len(files) == 1 else files


def source_of(rows: Sequence[Row]) -> dict[str, Any]:
    """What a record's provenance says of the cases; there is no data list, so its sha256 is that of images and folds."""
    listed = sorted((row[0].sha256, row[0].fold) for row in rows)
    return {
        "list": "nnU-Net's own cross-validation",
        "list_sha256": hashlib.sha256(json.dumps(listed).encode()).hexdigest(),
        "split": "training",
        "left_out": {},
        "date": datetime.now(UTC).date().isoformat(),
    }
