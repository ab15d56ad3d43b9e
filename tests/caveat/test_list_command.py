"""`caveat list`: whole units in one part, labels found by name, and everything said that would make figures wrong."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from caveat.cli import main
from caveat.listing.check import promises_of
from caveat.listing.pairs import pair
from caveat.listing.parts import fold_of_each, part_of_each
from caveat.listing.units import units_by_pattern, units_by_table
from caveat.reasons import StudyRefused


def write(path: Path, voxels: np.ndarray, shift: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[0, 3] = shift
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    nibabel.save(image, path)


@pytest.fixture
def folders(tmp_path) -> Path:
    """Ten patients with two scans each; labels are named after their scans, without the channel."""
    generator = np.random.default_rng(0)
    for patient in range(10):
        for scan in range(2):
            name = f"sub-{patient:02d}_scan{scan}"
            write(tmp_path / "images" / f"{name}_0000.nii.gz", generator.integers(0, 999, (6, 7, 8)).astype(np.int16))
            write(tmp_path / "labels" / f"{name}.nii.gz", (generator.random((6, 7, 8)) > 0.5).astype(np.uint8))
    return tmp_path


def made(folders: Path, *options: str) -> dict:
    out = folders / "list.json"
    command = ["list", "-i", str(folders / "images"), "--labels", str(folders / "labels"), "--root", str(folders), "-o", str(out)]
    assert main([*command, *options]) == 0
    return json.loads(out.read_text())


def test_a_patient_is_in_one_part_and_one_fold(folders, capsys):
    parts = made(folders, "--unit", "(sub-[0-9]+)", "--parts", "training=0.6,test=0.4", "--folds", "3")
    units = {part: {entry["unit"] for entry in entries} for part, entries in parts.items()}
    assert [len(entries) for entries in parts.values()] == [12, 8] and not units["training"] & units["test"]
    folds = {entry["unit"]: entry["fold"] for entry in parts["training"]}
    assert sorted(folds.values()) == [0, 0, 1, 1, 2, 2]
    assert all(entry["fold"] == folds[entry["unit"]] for entry in parts["training"])
    first = parts["training"][0]
    assert first["label"] == [first["image"].replace("images", "labels").replace("_0000", "")]
    said = capsys.readouterr().out
    assert "training: 12 images of 6 units, 12 with labels" in said and "no problem found" in said


def test_units_of_a_table(folders):
    table = folders / "units.csv"
    names = sorted(path.name for path in (folders / "images").iterdir())
    table.write_text("image,unit\n" + "".join(f"{name},patient {name[4:6]}\n" for name in names))
    parts = made(folders, "--units", str(table), "--parts", "training=0.5,calibration=0.5")
    assert {entry["unit"] for entries in parts.values() for entry in entries} == {f"patient {number:02d}" for number in range(10)}
    table.write_text("image,unit\n")
    assert main(["list", "-i", str(folders / "images"), "--units", str(table), "-o", str(folders / "b.json")]) == 2


def test_names_of_folders_above_both_trees_tell_no_patients_apart():
    """One of them may stand a second time in one tree."""
    place = Path("/data/train")
    assert pair([place / "images/train/a.png"], {"0": [place / "labels/a.png"]}) == [[place / "labels/a.png"]]
    with pytest.raises(StudyRefused, match="NO_TRUTH"):
        pair([place / "images/1/2/a.png"], {"0": [place / "labels/2/1/a.png"]})


def test_a_list_is_not_written_over(folders, capsys):
    made(folders)
    assert main(["list", "-i", str(folders / "images"), "-o", str(folders / "list.json")]) == 2
    assert "fixed once" in capsys.readouterr().err


FAULTS = {
    "another file": (lambda entry, folder: entry.update(sha256="0" * 64), "the image is refused: INPUT_CHANGED"),
    "no unit": (lambda entry, folder: entry.pop("unit"), "it states no unit"),
    "a label elsewhere": (
        lambda entry, folder: write(folder / entry["label"][0], np.ones((6, 7, 8), np.uint8), 3.0),
        "lies elsewhere",
    ),
    "a label of another size": (
        lambda entry, folder: write(folder / entry["label"][0], np.ones((6, 7, 9), np.uint8)),
        "label 1 is (6, 7, 9)",
    ),
    "an empty label": (
        lambda entry, folder: write(folder / entry["label"][0], np.zeros((6, 7, 8), np.uint8)),
        "label 1 is empty",
    ),
    "a probability": (
        lambda entry, folder: write(folder / entry["label"][0], np.full((6, 7, 8), 0.5, np.float32)),
        "between whole numbers",
    ),
    "an image that is no path": (lambda entry, folder: entry.update(image=5), "has no image, or one that is no path"),
    "a sha256 that is none": (lambda entry, folder: entry.update(sha256={"a": 1}), "has a sha256 that is no 64"),
    "a label that is no path": (
        lambda entry, folder: entry.update(label=[{"_target_": "os.system"}]),
        "has a label that is no path",
    ),
    "a unit that is no text": (lambda entry, folder: entry.update(unit={"a": 1}), "it states no unit"),
    "no label file": (lambda entry, folder: (folder / entry["label"][0]).unlink(), "label 1 is refused: UNREADABLE_FILE"),
}


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_what_would_make_a_figure_wrong_is_found(fault, said, folders, capsys):
    parts = made(folders, "--unit", "(sub-[0-9]+)")
    fault(parts["training"][0], folders)
    (folders / "list.json").write_text(json.dumps(parts))
    capsys.readouterr()
    assert main(["list", "--check", str(folders / "list.json"), "--root", str(folders)]) == 1
    printed = capsys.readouterr().out
    assert f"training 1: {said}" in printed or said in printed.split("training 1: ")[1].splitlines()[0]
    assert "1 problems" in printed


def test_a_list_of_something_else_is_refused(folders, capsys):
    (folders / "list.json").write_text('{"test": [1]}')
    assert main(["list", "--check", str(folders / "list.json")]) == 2
    assert "WRONG_USAGE: entry 1 of the part test is no JSON object" in capsys.readouterr().err


def test_what_an_audit_needs_to_know_is_no_part(folders, capsys):
    parts = made(folders, "--unit", "(sub-[0-9]+)", "--parts", "training=0.6,test=0.4")
    (folders / "list.json").write_text(json.dumps(parts | {"drawn": {"units": "consecutive", "blind": True}}))
    assert main(["list", "--check", str(folders / "list.json"), "--root", str(folders)]) == 0
    assert "drawn" not in capsys.readouterr().out


def test_a_patient_in_two_parts_and_an_image_listed_twice_are_found(folders, capsys):
    parts = made(folders, "--unit", "(sub-[0-9]+)", "--parts", "training=0.6,test=0.4")
    parts["test"].append(parts["training"][0])
    (folders / "list.json").write_text(json.dumps(parts))
    assert main(["list", "--check", str(folders / "list.json"), "--root", str(folders)]) == 1
    printed = capsys.readouterr().out
    assert "test 9: the image stands in the list before" in printed and "test 9: its unit stands in another part too" in printed


def test_labels_are_found_by_name_or_the_images_are_refused():
    images = [Path("case_1_0000.nii.gz"), Path("case_10_0000.nii.gz")]
    labels = [Path("case_10.nii.gz"), Path("case_1.nii.gz")]
    assert pair(images, {"a": labels}) == [[labels[1]], [labels[0]]]
    assert pair(images[:1], {"a": [Path("case_1_0000_mask.nii.gz")]}) == [[Path("case_1_0000_mask.nii.gz")]]
    for few in ([labels[0]], [*labels, Path("case_1.nrrd")]):
        with pytest.raises(StudyRefused, match="NO_TRUTH"):
            pair(images, {"a": few})


@pytest.mark.parametrize("images", [("case.nii.gz", "case_follow_up.nii.gz"), ("one/t1.nii.gz", "two/t1.nii.gz")])
def test_a_label_is_not_taken_for_a_second_image(images):
    """A follow-up without a label of its own would be trained on, and judged by, the label of the first visit."""
    label = Path(Path(images[0]).name)
    with pytest.raises(StudyRefused, match="NO_TRUTH.*2 images would share their label with another; the first is number 1"):
        pair([Path(image) for image in images], {"a": [label]})


@pytest.mark.parametrize(
    "image,label",
    [("case_1", "case_1_2"), ("p_1_2", "p_1"), ("case_1", "case_1_2_mask"), ("case-1", "case-1.5"), ("case_1_0000", "case_1_2")],
)
def test_the_label_of_another_number_is_another_patients(image, label):
    with pytest.raises(StudyRefused, match="NO_TRUTH: 1 of 1"):
        pair([Path(f"{image}.nii.gz")], {"a": [Path(f"{label}.nii.gz")]})


def test_a_raters_ordinal_is_no_number_and_a_year_no_channel():
    label = Path("Image_01L_1stHO.png")
    assert pair([Path("Image_01L.jpg")], {"a": [label]}) == [[label]]
    with pytest.raises(StudyRefused, match="NO_TRUTH: 1 of 1"):
        pair([Path("anna_2019.nii.gz")], {"a": [Path("anna.nii.gz")]})


def test_what_lies_in_an_archive_cannot_stand_in_a_list(tmp_path, capsys):
    """It is unpacked into a folder that is gone when the command ends."""
    write(tmp_path / "images" / "a.nii.gz", np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    (tmp_path / "labels").mkdir()
    for packed in ("labels", "images"):
        with zipfile.ZipFile(tmp_path / packed / "all.zip", "w") as archive:
            archive.write(tmp_path / "images" / "a.nii.gz", "a.nii.gz")
        given = ["-i", str(tmp_path / "images"), "--labels", str(tmp_path / "labels"), "-o", str(tmp_path / "list.json")]
        assert main(["list", *given, "--parts", "test=1"]) == 2
        assert "unpack archives first" in capsys.readouterr().err and not (tmp_path / "list.json").exists()


def test_units_that_a_table_states_twice_or_with_blanks(tmp_path):
    table = tmp_path / "units.csv"
    table.write_text("image,unit\na.nii,P1\nb.nii,P1 \nb.nii, P1\n")
    assert units_by_table(["a.nii", "b.nii"], table) == ["P1", "P1"]
    table.write_text("image,unit\na.nii,P1\na.nii,P2\n")
    with pytest.raises(StudyRefused, match="WRONG_USAGE: --units has two units for 1 of the images"):
        units_by_table(["a.nii"], table)


def test_a_pattern_that_finds_an_empty_unit_finds_nothing():
    """All images of which it does not find the group would be one patient."""
    with pytest.raises(StudyRefused, match="finds nothing in 2 of 3 names; the first is number 2"):
        units_by_pattern(["a_1", "b_2", "b_3"], r"a_(\d)|b_")


def test_parts_depend_on_seed_and_names_alone():
    units = [f"patient {number}" for number in range(50)]
    shares = {"training": 0.7, "test": 0.3}
    first = part_of_each(units, shares, 1)
    assert first == part_of_each(units[::-1] * 2, shares, 1) != part_of_each(units, shares, 2)
    assert sum(part == "training" for part in first.values()) == 35
    assert sorted(map(list(fold_of_each(units, 5, 0).values()).count, range(5))) == [10] * 5
    for wrong in ({"training": 0.7}, {"training": 0.999, "test": 0.001}, {"training": 1.2, "test": -0.2}):
        with pytest.raises(StudyRefused, match="WRONG_USAGE"):
            part_of_each(units, wrong, 0)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (40, "enough for intervals of 80, 90 and 95 %"),
        (22, "enough for intervals of 80, 90 and 95 %"),
        (17, "enough for intervals of 80 and 90 % (caveat calibrate --levels 0.8,0.9); 95 % takes 22 units"),
        (7, "enough for intervals of 80 % (caveat calibrate --levels 0.8); 90 % takes 12 units"),
        (6, "enough for no interval: 80 % takes 7 units"),
    ],
)
def test_what_a_list_is_enough_for_is_what_calibrate_takes(units, said):
    """A gate of three checks leaves out three units at most, and a record of the rest is refused above these levels."""
    assert promises_of(units) == said


def test_landmarks_are_found_by_name(folders, capsys):
    tables = folders / "points"
    tables.mkdir()
    for image in (folders / "images").iterdir():
        name = image.name.replace("_0000.nii.gz", ".csv")
        (tables / name).write_text("rater,name,axis0,axis1,axis2\nsenior,tip,1,2,3\n")
    command = ["list", "-i", str(folders / "images"), "--points", str(tables), "--root", str(folders)]
    assert main([*command, "--unit", "(sub-[0-9]+)", "-o", str(folders / "list.json")]) == 0
    entry = json.loads((folders / "list.json").read_text())["training"][0]
    assert entry["points"] == entry["image"].replace("images", "points").replace("_0000.nii.gz", ".csv")
    assert "training: 12 images of 6 units, 12 with landmarks" in capsys.readouterr().out
    (tables / Path(entry["points"]).name).write_text("rater,name,axis0\nsenior,tip,here\n")
    assert main(["list", "--check", str(folders / "list.json"), "--root", str(folders)]) == 1
    assert "training 1: its landmarks are refused: POINTS_INCOMPLETE" in capsys.readouterr().out


def paths(*places: str) -> list[Path]:
    return [Path(place) for place in places]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (("s1/a.png", "s2/b.png"), ("s2/a.png", "s1/b.png")),
        (("in/1/2/a.png", "in/2/1/b.png"), ("out/2/1/a.png", "out/1/2/b.png")),
        (("s1/a.png", "s2/b.png"), ("s1/b.png", "a.png")),
    ],
)
def test_no_patient_gets_the_label_in_another_ones_folder(images, labels):
    with pytest.raises(StudyRefused, match="NO_TRUTH: .*2 of 2 images have no label of their name and folder"):
        pair(paths(*images), {"a": paths(*labels)})


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (("images/s1/a.png", "images/s2/a.png"), ("labels/s1/a.png", "labels/s2/a.png")),
        (("s1/images/a.png", "s2/images/a.png"), ("s1/labels/a.png", "s2/labels/a.png")),
        (("t/imagesTr/a_0000.nii.gz", "t/imagesTr/b_0000.nii.gz"), ("t/labelsTr/a.nii.gz", "t/labelsTr/b.nii.gz")),
        (("images/s1/a.png", "images/s2/b.png"), ("labels/a.png", "labels/b.png")),
    ],
)
def test_folders_that_say_the_same_pair_and_so_do_names_where_folders_say_nothing(images, labels):
    assert pair(paths(*images), {"a": paths(*labels)}) == [[label] for label in paths(*labels)]
