"""`caveat list --monai-label`: which labels of annotators may serve a promise, told by what the server showed and when."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import nibabel
import numpy as np
import pytest

from caveat.cli import main
from caveat.inference.audit.how_drawn import how_drawn
from caveat.listing.annotated import AFTER_OURS, BY_DOUBT, CHOSEN, LEFT_OVER, annotated
from caveat.listing.annotation_journal import NAME, SAVED, SERVED, SHOWN, Event, note, read_journal
from caveat.reasons import StudyRefused
from caveat.transforms.study.inspect_study import inspect_study


@pytest.fixture
def studies(tmp_path) -> Path:
    """Six images with final labels, and one with none, as MONAI Label keeps them."""
    (tmp_path / "labels" / "final").mkdir(parents=True)
    objects = {}
    for number in range(7):
        voxels = np.random.default_rng(number).integers(0, 99, (6, 7, 8)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / f"p{number}.nii.gz")
        objects[f"p{number}"] = {"image": {"ext": ".nii.gz", "info": {}}, "labels": {}}
        if number < 6:
            label = nibabel.Nifti1Image((voxels > 50).astype(np.uint8), np.eye(4))
            nibabel.save(label, tmp_path / "labels" / "final" / f"p{number}.nii.gz")
            objects[f"p{number}"]["labels"]["final"] = {"ext": ".nii.gz", "info": {}}
    (tmp_path / "datastore_v2.json").write_text(json.dumps({"labels_dir": "labels", "objects": objects}))
    return tmp_path


def journal(studies: Path, *lines: tuple[str, ...]) -> dict[str, str]:
    """Why each labelled image may serve no promise, after these events."""
    for line in lines:
        note(studies, Event(*line))
    return {one.name: one.why_not for one in annotated(studies)}


def test_a_line_that_the_disk_does_not_take_leaves_no_half(tmp_path):
    """The journal could not be read any more, and no label would serve a promise."""
    note(tmp_path, Event(SERVED, "p0", "random"))
    before = (tmp_path / NAME).read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, resource.RLIM_INFINITY))
    try:
        with pytest.raises(OSError, match="No space left"):
            note(tmp_path, Event(SHOWN, "p0", "model"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert (tmp_path / NAME).read_bytes() == before
    note(tmp_path, Event(SAVED, "p0"))
    assert [one.event for one in read_journal(tmp_path)] == [SERVED, SAVED]


def test_a_label_serves_a_promise_only_of_a_random_image_drawn_without_sight_of_our_mask(studies):
    sha256 = inspect_study(studies / "p3.nii.gz").sha256
    told = journal(
        studies,
        (SERVED, "p0", "random"),
        (SAVED, "p0"),
        (SHOWN, "p0", "hippocampus_volume"),  # after the label was there
        (SERVED, "p1", "first"),
        (SHOWN, "p1", "hippocampus_volume"),
        (SAVED, "p1"),
        (SAVED, "p2"),
        (SERVED, "p3", "random"),
        (SHOWN, "", "hippocampus_volume", sha256),  # sent as a file
        (SAVED, "p3"),
        (SERVED, "p4", "hippocampus_volume_disagreement"),
        (SAVED, "p4"),
        (SERVED, "p5", "random"),
        (SAVED, "p5"),
    )
    assert told == {"p0": "", "p1": AFTER_OURS, "p2": CHOSEN, "p3": AFTER_OURS, "p4": BY_DOUBT, "p5": LEFT_OVER}


def test_a_label_that_was_changed_after_the_mask_was_shown_is_no_blind_one(studies):
    lines = ((SERVED, "p0", "random"), (SAVED, "p0"), (SHOWN, "p0", "m"), (SAVED, "p0"))
    assert journal(studies, *lines)["p0"] == AFTER_OURS


def test_without_a_journal_no_label_serves(studies):
    assert set(journal(studies).values()) == {CHOSEN}


def test_the_list_keeps_them_apart(studies, tmp_path, capsys):
    journal(studies, *[line for name in ("p2", "p0", "p1") for line in ((SERVED, name, "random"), (SAVED, name))])
    out = tmp_path / "list.json"
    command = ["list", "--monai-label", str(studies), "--parts", "calibration=1", "-o", str(out)]
    assert main([*command, "--root", str(studies), "--unit", "(p[0-9])"]) == 0
    parts = json.loads(out.read_text())
    drawn = parts.pop("drawn")
    assert {part: [entry["unit"] for entry in entries] for part, entries in parts.items()} == {
        "training": ["p3", "p4", "p5"],
        "calibration": ["p2", "p0", "p1"],
    }, "in the order in which they were saved, which an audit needs"
    assert parts["calibration"][0]["label"] == ["labels/final/p2.nii.gz"]
    assert drawn == {"units": "random", "blind": True} and how_drawn(out) == "random"
    assert f"3 of 6 may serve no record and no audit, and go into training: {CHOSEN}" in capsys.readouterr().out
    assert main(["list", "--check", str(out), "--root", str(studies)]) == 0


def test_images_of_one_patient_stay_together(studies, tmp_path):
    journal(studies, (SERVED, "p0", "random"), (SAVED, "p0"))
    table = tmp_path / "units.csv"
    table.write_text("image,unit\n" + "".join(f"p{number}.nii.gz,{'a' if number < 2 else 'b'}\n" for number in range(6)))
    out = tmp_path / "list.json"
    command = ["list", "--monai-label", str(studies), "--units", str(table), "--parts", "calibration=1", "-o", str(out)]
    assert main(command) == 0
    parts = json.loads(out.read_text())
    assert len(parts["training"]) == 6 and "drawn" not in parts and not parts["calibration"], (
        "nobody knows how p1 was chosen, nor its patient"
    )


@pytest.mark.parametrize("text", ["{}\n", "no json\n", '{"event": "served"}\n'])
def test_a_journal_that_somebody_edited_is_refused(text, studies, capsys):
    (studies / NAME).write_text(text)
    assert main(["list", "--monai-label", str(studies), "-o", str(studies / "list.json")]) == 2
    assert "WRONG_USAGE" in capsys.readouterr().err


def test_a_folder_that_is_no_datastore_is_refused(tmp_path, capsys):
    assert main(["list", "--monai-label", str(tmp_path), "-o", str(tmp_path / "list.json")]) == 2
    assert "datastore_v2.json" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["name", "image", "label", "labels_dir"])
def test_a_datastore_that_names_files_elsewhere_is_none(place, studies):
    stored = json.loads((studies / "datastore_v2.json").read_text())
    if place == "labels_dir":
        stored["labels_dir"] = str(studies / "labels")
    elif place == "name":
        stored["objects"]["../p0"] = stored["objects"]["p0"]
    else:
        part = stored["objects"]["p0"]
        (part["image"] if place == "image" else part["labels"]["final"])["ext"] = "/../../p1.nii.gz"
    (studies / "datastore_v2.json").write_text(json.dumps(stored))
    with pytest.raises(StudyRefused, match="WRONG_USAGE"):
        annotated(studies)
