"""Discovery: every image in a folder becomes a study once, and nothing else does."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import tarfile
import zipfile
from pathlib import Path, PurePath

import pytest
from dicom_phantoms import clean_series, write
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import fundus, nifti_bytes, picture_bytes

from caveat.reasons import StudyRefused
from caveat.transforms.files.stored_result import SCHEMA
from caveat.transforms.output.key_file import write_key
from caveat.transforms.study.discover import find_studies, studies_from_list
from caveat.transforms.study.input_sha256 import input_sha256
from caveat.transforms.study.inspect_study import inspect_study
from caveat.transforms.study.study_name import StudyNames

PNG = picture_bytes(fundus(20, 24)[0])


@pytest.fixture
def folder(tmp_path):
    """Images with right, wrong and no extension, and what lies beside images in the world."""
    files = {
        "b/second.png": PNG,
        "a/first.nii.gz": gzip.compress(nifti_bytes()),
        "a/no_extension": PNG,
        "a/wrong.txt": nifti_bytes(),
        "c/broken.jpg": b"",
        "c/scan.dcm": b"\0" * 128 + b"DICM",
        "c/IM0001": b"\0" * 128 + b"DICM" + b"\0" * 50,
        "README.md": b"# read me",
        "table.csv": b"a,b",
        "list.json": b"{}",
        ".DS_Store": b"\0\0\0\1Bud1",
        "._second.png": PNG,
        ".hidden/third.png": PNG,
        "__MACOSX/fourth.png": PNG,
        "empty": b"",
        "notes.gz": gzip.compress(b"no image"),
        "BMI of all.txt": b"BMI,27",
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def names(studies):
    return [study["name"] for study in studies]


def test_every_image_is_a_study_and_nothing_else_is(folder):
    studies = find_studies(folder)
    assert names(studies) == ["first", "no_extension", "wrong", "second", "study-0005", "study-0006", "study-0007"]
    assert [study["number"] for study in studies] == [1, 2, 3, 4, 5, 6, 7]
    assert studies[0]["image"] == str(folder / "a" / "first.nii.gz")


def test_results_among_the_images_are_no_images(folder):
    """A mask or a map of ours would be measured, and stand in the table as a study."""
    before = find_studies(folder)
    for place, schema in (("a/out/first", SCHEMA), ("a/other", "another program's")):
        (folder / place).mkdir(parents=True)
        (folder / place / "result.json").write_text(json.dumps({"schema": schema}, indent=1))
        for name in ("segmentation.nii.gz", "lowest_probability.nii.gz"):
            (folder / place / name).write_bytes(gzip.compress(nifti_bytes()))
    found = {study["place"] for study in find_studies(folder)} - {study["place"] for study in before}
    assert found == {"a/other/segmentation.nii.gz", "a/other/lowest_probability.nii.gz"}
    assert len(find_studies(folder / "a/out/first/segmentation.nii.gz")) == 1, "a file that is named is meant"


@pytest.mark.parametrize("sealed", [True, False])
def test_images_that_a_result_was_put_beside_are_studies(sealed, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps({"schema": SCHEMA}, indent=1))
    if sealed:
        (tmp_path / "files.json").write_text(
            json.dumps({"schema": "caveat-files-1", "files": {"segmentation.nii.gz": "", "result.json": ""}})
        )
    for name in ("scan.nii.gz", "segmentation.nii.gz", "more/scan.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(gzip.compress(nifti_bytes()))
    assert [study["place"] for study in find_studies(tmp_path)] == ["more/scan.nii.gz", "scan.nii.gz"]


def test_links_loops_and_fifos_neither_lead_out_nor_stop_the_search(folder):
    outside = folder.parent / f"{folder.name}_outside.png"
    outside.write_bytes(PNG)
    before = names(find_studies(folder))
    (folder / "loop").symlink_to(folder)
    (folder / "a" / "up").symlink_to("..")
    (folder / "self.png").symlink_to(folder / "self.png")
    (folder / "out.png").symlink_to(outside)
    os.mkfifo(folder / "fifo.png")
    os.mkfifo(folder / "fifo")
    assert names(find_studies(folder)) == before


def test_what_may_never_answer_is_a_study_to_be_refused_and_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo.nii")
    (tmp_path / "list.json").write_text(
        json.dumps({"test": [{"image": place} for place in ("fifo.nii", "/dev/zero", "/proc/kmsg")]})
    )
    for study in (*find_studies(tmp_path / "fifo.nii"), *studies_from_list(tmp_path / "list.json", "test", tmp_path)):
        assert study["name"].startswith("study-")
        with pytest.raises(StudyRefused, match="UNREADABLE_FILE"):
            inspect_study(study["image"])
        assert input_sha256(study["image"]) == hashlib.sha256(b"unreadable").hexdigest()


@pytest.mark.parametrize("place", ["/proc", "/proc/self", "/sys/kernel", "/dev", "/dev/../proc"])
def test_the_machine_itself_is_no_folder_of_studies(place, tmp_path):
    (tmp_path / "link").symlink_to(place)
    for path in (Path(place), tmp_path / "link"):
        with pytest.raises(StudyRefused, match="UNREADABLE_FOLDER"):
            find_studies(path)


def test_a_search_from_above_passes_the_machine_by(tmp_path, monkeypatch):
    for name in ("proc/1", "data"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "eye.png").write_bytes(PNG)
    monkeypatch.setattr("caveat.transforms.study.search.OF_THE_SYSTEM", (str(tmp_path.resolve() / "proc"),))
    assert [study["place"] for study in find_studies(tmp_path)] == ["data/eye.png"]


def test_a_linked_folder_that_is_named_is_searched(folder, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(folder)
    assert len(find_studies(link)) == 7


def test_a_file_is_a_study_whatever_it_is(folder):
    file = folder / "README.md"
    assert list(find_studies(file)) == [{"image": str(file), "place": "README.md", "name": "study-0001", "number": 1}]


def test_what_no_reader_knows_and_what_lies_beside_dicom_has_a_number_for_a_name(tmp_path):
    """Such names may be a patient's: DOE^JANE.zip, and the picture that somebody put into her folder."""
    write(clean_series(), tmp_path / "series")
    for name, data in {"series/Doe.png": PNG, "Doe.zip": b"PK", "Doe.nii.gz": b"", "Doe.jp2": b"?", "eye.png": PNG}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "Doe.dcm.gz").write_bytes(b"\x1f\x8b" + b"damaged" * 100)
    studies = find_studies(tmp_path)
    assert len(studies) == 7 and sum("Doe" in study["place"] for study in studies) == 5
    assert [study["place"] for study in studies if study["name"] != f"study-{study['number']:04d}"] == ["eye.png"]


def test_anonymous_names_say_nothing(folder):
    assert names(find_studies(folder, anonymous=True))[:2] == ["study-0001", "study-0002"]


def test_equal_names_are_told_apart(tmp_path):
    for name in ("a/eye.png", "b/eye.png", "c/EYE.tif", "d/eye-2.png", "e/index.html.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(PNG)
    assert names(find_studies(tmp_path)) == ["eye", "eye-2", "EYE-3", "eye-2-2", "index.html-2"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("=cmd().png", "_cmd_"),
        ("<script>.png", "_script_"),
        ("x" * 250 + ".png", "x" * 80),
        ("line\nbreak.png", "line_break"),
        ("..png", "study"),
        ("---.png", "study"),
        ("@home.png", "_home"),
        ("Mu\u0308ller \u00e9.nii.gz", "Muller_e"),
        ("\u773c.png", "_"),
        ("patient.01.NII.GZ", "patient.01"),
    ],
)
def test_76_a_name_is_harmless(file, name):
    assert StudyNames().of(PurePath(file)) == name


@settings(deadline=None)  # another program may have the processor
@given(st.lists(st.text(min_size=1, max_size=120), min_size=1, max_size=20))
def test_any_names_become_safe_and_unique(files):
    given_names = StudyNames()
    found = [given_names.of(PurePath(file)) for file in files]
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}", name) for name in found)
    assert len({name.lower() for name in found}) == len(found)


def test_the_files_of_a_dicom_study_are_one_study_wherever_they_lie(tmp_path):
    first, second = (clean_series(study=study) for study in (1, 2))
    write(first[::2], tmp_path / "Doe^Jane" / "a")
    write(first[1::2], tmp_path / "Doe^Jane" / "b")
    write(second, tmp_path / "z")
    (tmp_path / "eye.png").write_bytes(PNG)
    studies = find_studies(tmp_path)
    assert names(studies) == ["study-0001", "eye", "study-0003"]
    assert [study["place"] for study in studies] == ["Doe^Jane", "eye.png", "z"]
    assert len(studies[0]["image"]) == len(first) and len(studies[2]["image"]) == len(second)


def test_a_damaged_file_refuses_the_study_that_it_may_be_a_slice_of(tmp_path):
    files = write(clean_series(), tmp_path / "a")
    write(clean_series(study=2), tmp_path / "b")
    files[-1].write_bytes(files[-1].read_bytes()[:300])
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "IM").write_bytes(files[-1].read_bytes())
    studies = find_studies(tmp_path)
    assert [study["place"] for study in studies] == ["a", "alone/IM", "b"]
    for study, readable in zip(studies, (False, False, True), strict=True):
        if readable:
            assert inspect_study(study["image"]).kind == "dicom"
        else:
            with pytest.raises(StudyRefused, match="NOT_DICOM|TRUNCATED"):
                inspect_study(study["image"])


def test_a_damaged_file_among_several_studies_stands_alone(tmp_path):
    names_of_second = [f"second{number}" for number in range(len(clean_series()))]
    write(clean_series(), tmp_path)
    write(clean_series(study=2), tmp_path, names=names_of_second)
    (tmp_path / "damaged").write_bytes((tmp_path / "second0").read_bytes()[:300])
    studies = find_studies(tmp_path)
    assert [study["place"] for study in studies] == ["damaged", ".", "."]
    assert [inspect_study(study["image"]).kind for study in studies[1:]] == ["dicom", "dicom"]


def test_an_archive_is_opened_and_a_refused_one_is_not_passed_over(tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for number, file in enumerate(write(clean_series(), tmp_path.parent / f"{tmp_path.name}_series")):
            archive.write(file, f"Doe/IM{number}")
        archive.writestr("eye.png", PNG)
    with zipfile.ZipFile(tmp_path / "up.zip", "w") as archive:
        archive.writestr("../eye.png", PNG)
    studies = find_studies(tmp_path)
    assert names(studies) == ["study-0001", "eye", "study-0003"]
    assert [study["place"] for study in studies] == ["export.zip/Doe", "export.zip/eye.png", "up.zip"]
    with pytest.raises(StudyRefused, match="ARCHIVE_REFUSED"):
        inspect_study(studies[2]["image"])
    assert names(find_studies(tmp_path / "export.zip")) == ["study-0001", "eye"]
    assert inspect_study(studies[0]["image"]).kind == "dicom"


def test_the_key_is_for_the_owner_alone(tmp_path):
    write_key(
        tmp_path / "out", [{"number": 1, "name": "study-0001", "place": "Doe^Jane/CT"}, {"number": 2, "name": "b", "place": "=b"}]
    )
    key = tmp_path / "out" / "key.csv"
    assert key.read_text() == "number,name,place\n1,study-0001,Doe^Jane/CT\n2,b,'=b\n"
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_key_of_other_studies_stays(tmp_path):
    """Nothing else says which study of a run is whose."""
    one, other = ([{"number": 1, "name": "study-0001", "place": place}] for place in ("Doe", "Roe"))
    for _ in range(2):
        write_key(tmp_path, one)
    with pytest.raises(StudyRefused, match="OUTPUT_OCCUPIED"):
        write_key(tmp_path, other)
    assert (tmp_path / "key.csv").read_text().endswith("Doe\n")


def test_no_input(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(StudyRefused, match="NO_INPUT_FOUND"):
        find_studies(tmp_path)
    with pytest.raises(StudyRefused, match="UNREADABLE_FOLDER"):
        find_studies(tmp_path / "absent")


def test_an_unreadable_folder_is_not_passed_over(folder, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith(("/b", "locked")):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert names(find_studies(folder))[3] == "study-0004"
    (folder / "locked").mkdir()
    with pytest.raises(StudyRefused, match="UNREADABLE_FOLDER"):
        find_studies(folder / "locked")


def test_a_folder_that_may_be_listed_and_not_entered_is_not_the_end_of_the_search(folder, monkeypatch):
    """Its files are there by name alone."""
    (folder / "listed").mkdir()
    (folder / "listed" / "eye.png").write_bytes(PNG)
    real = Path.stat

    def stat(path, **options):
        if path.parent.name == "listed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    places = {study["place"]: study for study in find_studies(folder)}
    assert places["listed"]["name"].startswith("study-"), "refused in place of what may lie in it"
    with pytest.raises(StudyRefused, match="UNREADABLE_FOLDER"):
        find_studies(folder / "listed")


def test_a_folder_that_is_a_study_is_known_by_its_files(tmp_path):
    write(clean_series(), tmp_path / "case")
    before = input_sha256(str(tmp_path / "case"))
    assert before == input_sha256([str(one) for one in sorted((tmp_path / "case").iterdir())])
    write(clean_series(study=2), tmp_path / "case")
    assert input_sha256(str(tmp_path / "case")) != before


@pytest.fixture
def data_list(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "eye.png").write_bytes(PNG)
    parts = {"test": [{"image": "images/eye.png", "unit": "1", "sha256": "ab" * 32}, {"image": "images/eye.png"}], "training": []}
    path = tmp_path / "list.json"
    path.write_text(json.dumps(parts))
    return path


def test_a_list_gives_the_same_entries_as_a_folder(data_list, tmp_path, monkeypatch):
    image = str(tmp_path / "images" / "eye.png")
    where = {"image": image, "place": "images/eye.png"}
    expected = [{**where, "sha256": "ab" * 32, "name": "eye", "number": 1}, {**where, "name": "eye-2", "number": 2}]
    assert list(studies_from_list(data_list, "test", tmp_path)) == expected
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    assert list(studies_from_list(data_list, "test")) == expected
    assert names(studies_from_list(data_list, "test", anonymous=True)) == ["study-0001", "study-0002"]


def test_a_spacing_of_the_list_goes_with_its_image(data_list, tmp_path):
    parts = {"test": [{"image": "images/eye.png", "spacing_mm": [0.2, 1]}, {"image": "images/eye.png"}]}
    data_list.write_text(json.dumps(parts))
    first, second = studies_from_list(data_list, "test", tmp_path)
    assert first["spacing_mm"] == [0.2, 1.0] and "spacing_mm" not in second


@pytest.mark.parametrize("stated", [0.2, [], [0.2, -1], [0], ["0.2"], [True], [float("inf")], [float("nan")], None, "0.2"])
def test_a_spacing_that_is_no_list_of_lengths_is_named_by_its_number(stated, data_list, tmp_path):
    data_list.write_text(json.dumps({"test": [{"image": "images/eye.png"}, {"image": "images/eye.png", "spacing_mm": stated}]}))
    with pytest.raises(StudyRefused, match="WRONG_USAGE: entry 2 of the list's part has a spacing_mm"):
        studies_from_list(data_list, "test", tmp_path)


@pytest.mark.parametrize(
    ("content", "part", "code"),
    [
        (None, "test", "WRONG_USAGE"),
        ("no json", "test", "WRONG_USAGE"),
        ("[1]", "test", "WRONG_USAGE"),
        ('{"test": [{"label": "a"}]}', "test", "WRONG_USAGE"),
        ('{"test": [{"image": ["a", 2]}]}', "test", "WRONG_USAGE"),
        ('{"test": [{"image": []}]}', "test", "WRONG_USAGE"),
        ('{"test": [{"image": "a", "sha256": "Doe, Jane"}]}', "test", "WRONG_USAGE: entry 1 .* no 64 hexadecimal digits"),
        ('{"test": [{"image": "a", "sha256": 7}]}', "test", "WRONG_USAGE: entry 1 .* no 64 hexadecimal digits"),
        ('{"test": []}', "training", "WRONG_USAGE"),
        ('{"test": []}', "test", "NO_INPUT_FOUND"),
    ],
)
def test_a_list_that_cannot_be_used(content, part, code, tmp_path):
    path = tmp_path / "list.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StudyRefused, match=code):
        studies_from_list(path, part, tmp_path)


def test_the_shipped_list_names_the_files_it_was_made_of(shared_data):
    data_list = Path(__file__).resolve().parents[2] / "data_lists" / "chase_db1.json"
    studies = studies_from_list(data_list, "test", shared_data)
    assert len(studies) == 8
    for study in studies[:2]:
        assert hashlib.sha256(Path(study["image"]).read_bytes()).hexdigest() == study["sha256"]


@pytest.mark.parametrize("name", ["rest.tar", "rest.tar.gz", "rest.tgz", "rest.tar.bz2", "rest.bin"])
def test_an_archive_that_is_not_opened_is_a_study_to_be_refused(name, tmp_path):
    """What it holds would be missing in silence, such as the last slices of the volume beside it."""
    write(clean_series(), tmp_path / "scan")
    kind = {"gz": "gz", "tgz": "gz", "bz2": "bz2"}.get(name.rsplit(".", 1)[1], "")
    with tarfile.open(tmp_path / "scan" / name, f"w:{kind}") as archive:
        archive.add(__file__, "slice.dcm")
    studies = find_studies(tmp_path)
    assert len(studies) == 2
    refused = [study for study in studies if isinstance(study["image"], str)]
    with pytest.raises(StudyRefused, match="UNSUPPORTED_FILE_TYPE"):
        inspect_study(refused[0]["image"])
