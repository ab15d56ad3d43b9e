"""The reference of encoder features: its distance, its file, and what it is refused for."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from caveat.inference.gate.reference import Reference, build_reference
from caveat.reasons import StudyRefused

BUNDLE = {"name": "b", "weights_sha256": "w", "preprocessing_sha256": "p"}


def results(features: np.ndarray, **facts) -> list[dict]:
    """Stored results. Args: features: (studies, channels)."""
    return [{"features": row.tolist(), "bundle": BUNDLE | facts} for row in features]


def test_the_distance_is_mahalanobis():
    reference = Reference((1.0, 2.0), ((4.0, 0.0), (0.0, 0.25)), 10, "w", "p")
    assert reference.distance([3.0, 3.0]) == pytest.approx(np.sqrt(1 + 4))
    assert reference.distance([1.0, 2.0]) == 0


def test_it_is_ledoit_wolf_on_standardised_channels_so_that_units_do_not_matter():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30, 40)) @ rng.normal(size=(40, 40)) + 5
    reference = build_reference(results(features))
    scaled = (features - features.mean(0)) / features.std(0)
    assert reference.distance(features[3]) == pytest.approx(np.sqrt(LedoitWolf().fit(scaled).mahalanobis(scaled[3:4])[0]))
    units = np.geomspace(1e-3, 1e3, 40)
    assert build_reference(results(features * units)).distance(features[3] * units) == pytest.approx(
        reference.distance(features[3])
    )
    assert reference.distance(features[3] + 10 * features.std(0)) > max(reference.distance(row) for row in features)


def test_a_channel_that_never_varies_and_more_channels_than_studies_are_no_trouble():
    features = np.random.default_rng(0).normal(size=(6, 20))
    features[:, 4] = 0
    assert np.isfinite(build_reference(results(features)).distance(np.ones(20)))


def test_the_file_gives_the_same_reference_back(tmp_path):
    reference = build_reference(results(np.random.default_rng(0).normal(size=(9, 4))))
    reference.write(tmp_path / "calibration" / "features.json")
    read = Reference.read(tmp_path / "calibration" / "features.json")
    assert read == reference and read.sha256 == reference.sha256 and read.n == 9
    assert read.belongs_to(BUNDLE) and not read.belongs_to(BUNDLE | {"weights_sha256": "other"})
    assert not read.belongs_to(BUNDLE | {"preprocessing_sha256": "other"}) and not read.belongs_to({})
    assert Reference.read(tmp_path / "nothing.json") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other"}', '{"schema": "caveat-feature-reference-1", "mean": 3}'])
def test_a_file_that_is_no_reference_is_refused(text, tmp_path):
    (tmp_path / "features.json").write_text(text)
    with pytest.raises(StudyRefused) as refused:
        Reference.read(tmp_path / "features.json")
    assert refused.value.code == "CORRUPT"


def test_what_cannot_be_one_reference_is_refused():
    features = np.random.default_rng(0).normal(size=(4, 3))
    mixed = results(features) + results(features, weights_sha256="other")
    uneven = results(features) + results(features[:, :2])
    refused_study = [{"features": [], "bundle": BUNDLE}]
    for given, code in ((mixed, "MIXED_PREDICTIONS"), (uneven, "MIXED_PREDICTIONS"), (refused_study, "GATE_SCORE_MISSING")):
        with pytest.raises(StudyRefused) as refused:
            build_reference(given)
        assert refused.value.code == code
    assert build_reference(results(features) + refused_study).n == 4
