"""Data lists that cannot be used are refused by the number of the entry, never by a KeyError."""

import json

import pytest

from caveat.inference.calibration.calibration_part import refuse_seen
from caveat.inference.stored.list_part import read_entries
from caveat.reasons import StudyRefused
from caveat.transforms.study.data_list import balanced_weights, read_part, training_entries

WHOLE = {"image": "a.png", "unit": "1", "sha256": "ab"}


@pytest.fixture
def write(tmp_path):
    def written(content):
        path = tmp_path / "list.json"
        path.write_text(json.dumps(content))
        return path

    return written


def test_entries_are_given_as_they_stand(write):
    assert read_entries(write({"test": [WHOLE, WHOLE | {"label": ["b.png"]}], "numTest": 2}), "test")[1]["label"] == ["b.png"]
    assert read_entries(write({"test": []}), "test") == []


def test_a_mark_before_the_list_is_none_of_it(write):
    """As Windows' editors write it."""
    path = write({"test": [WHOLE]})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_part(path, "test", ())) == 1


def test_a_unit_drives_no_terminal_and_is_text_in_every_encoding(write):
    """Names come from others, and from old systems; one stays another than every other."""
    names = ["\x1b[31mred", "a\nb", "M\udcfcller", "Jürgen 中"]
    found = [entry["unit"] for entry in read_part(write({"test": [WHOLE | {"unit": name} for name in names]}), "test", ())]
    assert found == [r"\x1b[31mred", r"a\nb", r"M\udcfcller", "Jürgen 中"]


def test_one_patient_and_one_image_have_one_spelling(write):
    """Else training and calibration would be told that they share neither."""
    (entry,) = read_part(write({"test": [WHOLE | {"unit": " P1 ", "sha256": "AB" * 32}]}), "test", ())
    assert (entry["unit"], entry["sha256"]) == ("P1", "ab" * 32)


@pytest.mark.parametrize("key", WHOLE)
@pytest.mark.parametrize("value", [None, "", " ", 7, ["a", "b"]])
def test_an_entry_without_what_is_needed_is_named_by_its_number(key, value, write):
    with pytest.raises(StudyRefused, match=f"WRONG_USAGE: entry 2 of the part test has no {key}"):
        read_entries(write({"test": [WHOLE, WHOLE | {key: value}]}), "test")
    absent = {name: text for name, text in WHOLE.items() if name != key}
    with pytest.raises(StudyRefused, match=f"WRONG_USAGE: entry 1 of the part test has no {key}"):
        read_entries(write({"test": [absent]}), "test")


@pytest.mark.parametrize("content", [[WHOLE], "test", {"test": {"a": 1}}, {"test": ["a.png"]}, {"training": []}])
def test_what_is_no_list_of_entries_is_refused(content, write):
    with pytest.raises(StudyRefused, match="WRONG_USAGE"):
        read_entries(write(content), "test")


def test_parts_that_trained_the_weights_are_read_as_strictly(write):
    with pytest.raises(StudyRefused, match="WRONG_USAGE: entry 1 of the part training has no unit"):
        refuse_seen(write({"training": [{"image": "a.png", "sha256": "x"}], "calibration": [WHOLE]}), "calibration", ())


def test_parts_of_the_body_are_drawn_equally_often(write):
    file = write({"training": [WHOLE | {"stratum": stratum} for stratum in ("knee", "hip", "knee", "knee")]})
    assert balanced_weights(file, "training", "stratum") == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3])


def test_facts_of_any_kind_are_told_apart(write):
    file = write({"training": [WHOLE | {"stratum": stratum} for stratum in ([], {}, ["knee"], {"a": 1}, 1, "1", [])]})
    assert balanced_weights(file, "training", "stratum") == pytest.approx([1 / 2, 1, 1, 1, 1, 1, 1 / 2])


@pytest.mark.parametrize("key", ["image", "label"])
@pytest.mark.parametrize("odd", [True, 5, 0.5, {"_target_": "os.system"}, [None], [["a.png"]], ["a.png", 5]])
def test_what_is_no_path_is_not_trained_on(key, odd, write):
    file = write({"training": [WHOLE | {"label": "a.png", key: odd}]})
    with pytest.raises(StudyRefused, match=f"WRONG_USAGE: entry 1 of the part training has a {key} that is no path"):
        training_entries(file, "training", {"image": "x", "label": "x"})
