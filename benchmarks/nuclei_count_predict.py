"""Every prediction behind the tables of bundles/nuclei_count/docs/README.md.

    python benchmarks/nuclei_count_predict.py STEP

pack         after training: the fold networks into models/model.pt, prints its sha256; which network has seen which image into
             calibration/seen.json
out_of_fold  each network alone, without draws, on the pictures that it has not seen
records      the bundle's own sampler on one picture of each field of view, of which records are made
test         the bundle's own sampler on one picture of each field of view that no network has seen

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import frame
from frame import LISTS, RESULT, ROOT, SEGMENTATION

OUT = ROOT / "out" / "nuclei_count"
CHECKPOINTS = frame.CHECKPOINTS / "nuclei_count"
BUNDLE = ROOT / "bundles" / "nuclei_count"
LIST = LISTS / "nuclei.json"
OUT_OF_FOLD = LISTS / "nuclei_out_of_fold.json"
FOLDS = frame.FOLDS
FOLD_LISTS = [LISTS / f"nuclei_fold{fold}.json" for fold in FOLDS]
PREFIX = "samplers.{}.backbone."
WRITERS = (SEGMENTATION, RESULT)
MOMENTS, EXTENT, AGREEMENT, OBJECTS = (
    {"_target_": "caveat.inference.reducers.moments.Moments"},
    {"_target_": "caveat.inference.reducers.extent.Extent", "measurements": "@measurements"},
    {"_target_": "caveat.inference.reducers.agreement.Agreement"},
    {"_target_": "caveat.inference.reducers.objects.Objects", "measurement": "@measurements::1"},
)
ONE_THREAD = {"threads": 1}
WITH_OBJECTS = ONE_THREAD | {"reducers": [MOMENTS, EXTENT, AGREEMENT, OBJECTS], "to_input_grid::maps": ["objects"]}
NUMBERS = ONE_THREAD | {"reducers": [MOMENTS, EXTENT, AGREEMENT], "to_input_grid::maps": []}
"""What the tables read; maps, reports and previews are left out, which takes more than half of the time."""


def main() -> None:
    """Run one step."""
    steps = {"pack": pack_members, "out_of_fold": predict_out_of_fold, "records": predict_records, "test": predict_test}
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def pack_members() -> None:
    """One file of weights for the networks, network k trained without fold k + 1; and what each has seen."""
    frame.pack_weights(BUNDLE, (CHECKPOINTS / f"fold{fold}" for fold in FOLDS), prefix=PREFIX)
    frame.write_seen(BUNDLE, frame.seen_by_fold(FOLD_LISTS, ["training"]))


def predict_out_of_fold() -> None:
    """Each network on its own fold's pictures."""
    for network, (fold, data_list) in enumerate(zip(FOLDS, FOLD_LISTS, strict=True)):
        studies = frame.studies_of(data_list, ["out_of_fold"])
        frame.predict(BUNDLE, OUT / f"fold{fold}", studies, "single", WRITERS, **WITH_OBJECTS, member=network)


def predict_records() -> None:
    """All networks, each by its own draws."""
    frame.predict(BUNDLE, OUT / "records", frame.studies_of(OUT_OF_FOLD, ["one_of_each"]), None, WRITERS, **NUMBERS)


def predict_test() -> None:
    """Figures of the ensemble."""
    frame.predict(BUNDLE, OUT / "test", frame.studies_of(LIST, ["one_of_test"]), None, WRITERS, **WITH_OBJECTS)


if __name__ == "__main__":
    main()
