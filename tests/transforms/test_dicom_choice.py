"""Exactly one series is chosen, by rule or by number; a list of candidates says nothing that a person wrote."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from dicom_faults_layout import two_phases
from dicom_grid import CORONAL, SAGITTAL, Grid
from dicom_phantoms import clean_series, radiograph, uid, write
from pydicom import Dataset

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.choice import SeriesRule, choose
from caveat.transforms.dicom.describe import describe
from caveat.transforms.dicom.outline import Outline
from caveat.transforms.dicom.series import Series, series_of
from caveat.transforms.dicom.volume import one_study, read_instances
from caveat.transforms.image.study_image import Stated

AXIAL = Outline("MR", "axial", (64, 60, 20), (1.0, 1.2, 2.5), True, ("ORIGINAL", "PRIMARY"), False, False, ("T1 post", "brain"))


@pytest.mark.parametrize(
    ("rule", "misfit"),
    [
        (SeriesRule(), ""),
        (SeriesRule(modality="MR"), ""),
        (SeriesRule(modality=["CT", "MR"]), ""),
        (SeriesRule(modality="CT"), "modality"),
        (SeriesRule(orientation="axial"), ""),
        (SeriesRule(orientation="coronal"), "orientation"),
        (SeriesRule(contrast=True), ""),
        (SeriesRule(contrast=False), "contrast"),
        (SeriesRule(smallest_slices=20), ""),
        (SeriesRule(smallest_slices=21), "slices"),
        (SeriesRule(spacing_mm=(1.0, 2.5)), ""),
        (SeriesRule(spacing_mm=(1.0, 2.4)), "spacing"),
        (SeriesRule(spacing_mm=(1.1, 2.5)), "spacing"),
        (SeriesRule(description="t1.*POST"), ""),
        (SeriesRule(description="^brain$"), ""),
        (SeriesRule(description="t2"), "description"),
        (SeriesRule(image_type=("ORIGINAL", "PRIMARY", "M")), ""),
        (SeriesRule(image_type=("ORIGINAL",)), "image type"),
    ],
    ids=str,
)
def test_a_rule_names_the_first_thing_that_does_not_fit(rule, misfit):
    assert rule.misfit(AXIAL) == misfit


def test_a_rule_that_cannot_be_kept_is_a_mistake():
    with pytest.raises(ValueError, match="orientation"):
        SeriesRule(orientation="oblique")
    with pytest.raises(ValueError, match="regular expression"):
        SeriesRule(description="(")


def test_descriptions_are_not_shown():
    assert str(AXIAL) == "MR 64 x 60 x 20, 1 x 1.2 x 2.5 mm"
    assert "post" not in repr(AXIAL)


def small(
    series: int, modality: str = "CT", orientation: Sequence[float] = (1.0, 0, 0, 0, 1.0, 0), slices: int = 4
) -> list[Dataset]:
    headers = clean_series(Grid(shape=(9, 8, slices), orientation=tuple(orientation)), modality=modality, series=series)
    for header in headers:
        header.SeriesDescription = f"Canary {series}"
    return headers


@pytest.fixture
def found(tmp_path):
    """Series 1 axial CT, 2 coronal CT, 3 MR, 4 one slice."""
    write([*small(3, "MR"), *small(2, orientation=CORONAL), *small(4, slices=6)[:1], *small(1)], tmp_path)
    return series_of(one_study(read_instances(sorted(tmp_path.iterdir()))))


def refusal(series: Sequence[Series], rule: SeriesRule, number: int | None = None) -> StudyRefused:
    with pytest.raises(StudyRefused) as caught:
        choose(series, rule, Stated(), number)
    return caught.value


def test_series_are_numbered_by_their_own_numbers(found):
    assert [(one.number, one.modality, len(one.frames)) for one in found] == [
        (1, "CT", 4),
        (2, "CT", 4),
        (3, "MR", 4),
        (4, "CT", 1),
    ]


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        (SeriesRule(modality="MR"), 3),
        (SeriesRule(orientation="coronal"), 2),
        (SeriesRule(modality="CT", orientation="axial"), 1),
        (SeriesRule(description="canary 3"), 3),
    ],
    ids=str,
)
def test_one_series_fits_and_a_single_slice_gives_way(found, rule, number):
    assert choose(found, rule, Stated()).number == number


def test_several_that_fit_are_listed_without_a_word_of_theirs(found):
    refused = refusal(found, SeriesRule())
    assert refused.code == "AMBIGUOUS_SERIES"
    assert refused.found == (
        "(1) CT 9 x 8 x 4, 0.9 x 1.2 x 2.5 mm; (2) CT 9 x 8 x 4, 0.9 x 1.2 x 2.5 mm; (3) MR 9 x 8 x 4, 0.9 x 1.2 x 2.5 mm"
    )


def test_none_that_fits_is_counted(found):
    refused = refusal(found, SeriesRule(modality="CT", smallest_slices=5))
    assert (refused.code, refused.found) == ("NO_SUITABLE_SERIES", "4 series do not fit: 1 by modality, 3 by slices")
    refused = refusal(found, SeriesRule(modality=("PT", "NM")))
    assert (refused.code, refused.found) == ("WRONG_MODALITY", "CT, MR where PT or NM is measured")


def test_a_number_chooses_whatever_the_rule(found):
    assert choose(found, SeriesRule(modality="PT"), Stated(), 2).number == 2
    assert refusal(found, SeriesRule(), 5).code == "NO_SUITABLE_SERIES"


def test_a_series_that_fits_but_cannot_be_read_counts(tmp_path):
    write([*small(1), *(header for header in small(2, slices=6) if header.InstanceNumber != 3)], tmp_path)
    series = series_of(one_study(read_instances(sorted(tmp_path.iterdir()))))
    refused = refusal(series, SeriesRule())
    assert refused.found == "(1) CT 9 x 8 x 4, 0.9 x 1.2 x 2.5 mm; (2) CT 9 x 8 x 5"


def test_one_phase_of_two_is_chosen_by_number_alone(tmp_path):
    write(two_phases(range(21, 41), AcquisitionNumber=(2, 10)), tmp_path)
    first, second = series_of(one_study(read_instances(sorted(tmp_path.iterdir()))))
    assert refusal([first, second], SeriesRule()).code == "AMBIGUOUS_TEMPORAL"
    for number, acquisition in ((1, "2"), (2, "10")):
        chosen = choose([first, second], SeriesRule(), Stated(), number)
        assert {frame.instance.header.AcquisitionNumber for frame in chosen.frames} == {int(acquisition)}
        row = describe(chosen, Stated())
        assert row.verdict == f"AMBIGUOUS_TEMPORAL: 2 volumes in one series; --series {number} reads this one"


def test_radiographs_of_one_series_are_candidates_of_their_own(tmp_path):
    second = radiograph(ImagerPixelSpacing=[0.2, 0.2])
    second.SOPInstanceUID = uid("lateral")
    write([radiograph(ImagerPixelSpacing=[0.2, 0.2]), second], tmp_path)
    series = series_of(one_study(read_instances(sorted(tmp_path.iterdir()))))
    assert refusal(series, SeriesRule()).found == "(1) DX 40 x 48; (2) DX 40 x 48"
    assert choose(series, SeriesRule(), Stated(), 2).is_radiograph


def test_check_shows_what_each_series_is_and_whether_it_can_be_read(found):
    rows = [describe(one, Stated()) for one in found]
    assert [row.code for row in rows] == ["", "", "", "SINGLE_SLICE"]
    assert [row.outline.orientation for row in rows] == ["axial", "coronal", "axial", "axial"]
    assert rows[0].spacing_mm == (0.9, 1.2, 2.5)
    assert rows[0].spacing_source == "DICOM slice positions"


def test_the_largest_side_is_told_by_the_normal(tmp_path):
    write(small(1, orientation=SAGITTAL), tmp_path)
    (one,) = series_of(one_study(read_instances(sorted(tmp_path.iterdir()))))
    assert choose([one], SeriesRule(orientation="sagittal"), Stated()) is one


def test_volumes_that_are_too_small_since_their_series_holds_several_are_refused_for_that(tmp_path):
    series = clean_series(Grid(shape=(8, 9, 12)))
    for number, header in enumerate(series):
        header.KVP = (80, 140)[number % 2]
    write(series, tmp_path)
    found = series_of(one_study(read_instances(sorted(tmp_path.iterdir()))))
    assert refusal(found, SeriesRule(smallest_slices=10)).code == "AMBIGUOUS_TEMPORAL"
    assert refusal(found, SeriesRule(modality="MR")).code == "WRONG_MODALITY"
