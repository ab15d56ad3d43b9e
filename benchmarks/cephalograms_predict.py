"""Every prediction behind the tables of bundles/cephalometric_landmarks/docs/README.md.

    python benchmarks/cephalograms_predict.py STEP

pack      after training: the members' checkpoints into models/model.pt, prints its sha256; the images they have seen into
          calibration/seen.json
reference the ensemble on the images that trained it: the gate's reference is made of their features
training  once more, with that reference, and on those that stopped the training: limits of the kind of image
unseen    every sampler on the other images: shift_calibration and the official test, of which calibration and test are parts

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import frame
from frame import LISTS, RESULT, ROOT

from caveat.bundle_folders import find_bundle, read_metadata

OUT = ROOT / "out" / "cephalograms"
CHECKPOINTS = frame.CHECKPOINTS / "cephalometric_landmarks"
BUNDLE = find_bundle("cephalometric_landmarks")
LIST = LISTS / "cephalograms.json"
MEMBERS = ("dropout", "member0", "member1", "member2", "member3")
"""The first one was trained with dropout: a member and the single network, its dropout off, and the dropout sampler's network."""
UNSEEN = ("shift_calibration", "official_test")


def main() -> None:
    """Run one step."""
    steps = {"pack": pack_networks, "reference": predict_reference, "training": predict_training, "unseen": predict_unseen}
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def pack_networks() -> None:
    """One file of weights for the ensemble of five."""
    frame.pack_weights(BUNDLE, (CHECKPOINTS / member for member in MEMBERS))
    frame.write_seen(BUNDLE, frame.images_of(LIST))


def predict_reference() -> None:
    """The ensemble on what it was trained on."""
    frame.predict(BUNDLE, OUT / "reference", frame.studies_of(LIST, frame.TRAINED[:1]), "ensemble", [RESULT])


def predict_training() -> None:
    """The ensemble on every image that it has seen, by now with the distance from the reference."""
    frame.predict(BUNDLE, OUT / "training", frame.studies_of(LIST, frame.TRAINED), "ensemble", [RESULT])


def predict_unseen() -> None:
    """Every sampler that the bundle has, on every image that trained no network."""
    for sampler in read_metadata(BUNDLE)["samplers"]:
        frame.predict(BUNDLE, OUT / sampler, frame.studies_of(LIST, UNSEEN), sampler, [RESULT])


if __name__ == "__main__":
    main()
