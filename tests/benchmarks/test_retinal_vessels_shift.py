"""The corruptions, and what counts as noticed."""

import numpy as np
import yaml
from retinal_vessels_shift import CORRUPTIONS, STRENGTHS, noticed, score

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def test_every_strength_has_its_corruption_and_changes_the_picture():
    for name, strengths in yaml.safe_load(STRENGTHS.read_text()).items():
        for strength in strengths:
            changed = CORRUPTIONS[name](PICTURE, strength)
            assert changed.shape == PICTURE.shape
            assert changed.dtype == np.uint8
            assert (changed != PICTURE).mean() > 0.5


def test_known_corruptions():
    assert (CORRUPTIONS["darkened"](PICTURE, 0.5) == np.rint(PICTURE * 0.5)).all()
    assert np.abs(CORRUPTIONS["rotated"](PICTURE, 90).astype(int) - np.rot90(PICTURE)).max() <= 1
    assert CORRUPTIONS["blurred"](PICTURE, 4).std() < PICTURE.std() / 2


def test_a_photograph_is_scored_by_the_network_that_has_not_seen_its_child():
    result = {"status": "OK", "study_scores": {"draw_entropy": 0.3}, "draw_scores": {"draw_entropy": [0.1, 0.2, 0.6]}}
    assert score(result, {"fold": 2}) == 0.6 and score(result, None) == 0.3
    assert score({"status": "REFUSED"}, None) is None


def test_a_limit_is_that_of_the_other_children():
    units = {"1L": "a", "1R": "a", "2L": "b", "3L": "c"}
    clean = {"1L": 1.0, "1R": 5.0, "2L": 2.0, "3L": None}
    assert noticed(clean, clean, units) == 1  # the largest of the other children is 2, for "a", and 5 for "b"
    assert noticed({"2L": 4.9, "9": 5.1, "8": None}, clean, units) == 1
