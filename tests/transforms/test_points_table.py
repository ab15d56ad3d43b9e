"""Tables of landmarks: what is written is read again, and no half table is read."""

from __future__ import annotations

import numpy as np
import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.landmarks.points_table import read_all_points, read_points, write_points

ABOUT = [("senior", "Sella"), ("junior", "Sella"), ("senior", "Nasion, upper")]
PLACES = np.array([[40.25, 61.5], [-12.3456, 1999.0001], [0.0, 7.0]])


def test_every_rater_is_written_and_read_again(tmp_path):
    write_points(tmp_path / "points.csv", ABOUT, PLACES)
    about, places = read_all_points(tmp_path / "points.csv")
    assert about == ABOUT
    np.testing.assert_array_equal(places, PLACES)
    np.testing.assert_array_equal(read_points(tmp_path / "points.csv", "senior", ["Nasion, upper", "Sella"]), PLACES[[2, 0]])


@pytest.mark.parametrize(
    "text", ["", "rater,name,axis0,axis1\n", "name,axis0,axis1\nSella,1,2\n", "rater,name,axis0\nsenior,Sella,1\n"]
)
def test_what_is_no_table_of_landmarks_is_refused(text, tmp_path):
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(StudyRefused, match="POINTS_INCOMPLETE"):
        read_all_points(tmp_path / "points.csv")
    with pytest.raises(StudyRefused, match="NO_TRUTH"):
        read_all_points(tmp_path / "nowhere.csv")
