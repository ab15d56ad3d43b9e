"""The report ends with everything that repeats the run."""

from __future__ import annotations

import pytest

from caveat.transforms.files.stored_result import EMPTY_RESULT
from caveat.transforms.pages.provenance import provenance

RUN = {
    "versions": {"caveat": "0.1.0", "torch": "2.13.0"},
    "settings": {"draws": 5, "threads": 2, "maps": "all", "keep_draws": False, "spacing": [0.2], "record": {"sha256": "ab"}},
}


def test_versions_settings_temperature_and_records_are_rows():
    result = {
        **EMPTY_RESULT,
        "sampling": {"draws": 5, "temperature": 1.42},
        "answers": [{"region": {"record": "c0ffee"}}, {"region": None}, {"region": {"record": "c0ffee"}}],
        "run": RUN,
    }
    rows = dict(provenance(result))
    assert rows["Versions"] == "caveat 0.1.0, torch 2.13.0"
    assert rows["Temperature of the link"] == "1.42"
    assert rows["Calibration records, checksum"] == "c0ffee"
    assert rows["Other settings"] == "threads 2, maps all, spacing 0.2, record (sha256 ab)"


def test_the_side_of_the_body_is_a_row():
    assert dict(provenance({**EMPTY_RESULT, "input": {"body_side": "left"}}))["Side of the body"] == "left (DICOM header)"


def test_what_is_not_known_is_no_row():
    assert "Side of the body" not in dict(provenance({**EMPTY_RESULT, "input": {"kind": "dicom"}}))
    assert not {"Versions", "Other settings", "Calibration records, checksum"} & set(dict(provenance(EMPTY_RESULT)))


@pytest.mark.parametrize(
    ("roi_size", "said"),
    [
        ([24, 24, 24], "24 × 24 × 24, overlap 0.5, gaussian blending"),
        ([64, 64, -1], "64 × 64 × all, overlap 0.5, gaussian blending"),
        ([-1, -1], "the whole image"),
    ],
)
def test_windows_are_said_as_a_person_would(roi_size, said):
    sampling = {"roi_size": roi_size, "overlap": 0.5, "blending": "gaussian"}
    assert dict(provenance({**EMPTY_RESULT, "sampling": sampling}))["Windows"] == said
