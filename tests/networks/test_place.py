"""Where a window lies, and where its features do."""

from __future__ import annotations

import pytest

from caveat.networks.draws.place import Place


def test_stride_and_global_coordinates_by_hand() -> None:
    place = Place(origin=(16, 8, 4), size=(32, 16, 4), study_size=(64, 64, 8))
    assert place.stride((8, 8, 4)) == (4, 2, 1)
    rows, columns, slices = place.feature_coordinates((8, 8, 4))
    assert rows.shape == (8, 1, 1) and rows.flatten().tolist() == list(range(4, 12))
    assert columns.shape == (1, 8, 1) and columns.flatten().tolist() == list(range(4, 12))
    assert slices.shape == (1, 1, 4) and slices.flatten().tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize(("origin", "size", "features"), [((2,), (8,), (2,)), ((0,), (7,), (2,)), ((0,), (4,), (8,))])
def test_features_off_the_studys_grid_are_refused(origin: tuple[int], size: tuple[int], features: tuple[int]) -> None:
    with pytest.raises(ValueError, match="do not lie on the study's grid"):
        Place(origin, size, (64,)).stride(features)


def test_axes_must_match() -> None:
    with pytest.raises(ValueError, match="argument"):
        Place((0, 0), (8, 8), (8, 8)).stride((4,))
