"""A voxel's label is the most probable class, and of equally probable ones the lowest."""

from __future__ import annotations

import pytest
import torch

from caveat.inference.engine.labels import count_labels, labels_of


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_labels_are_the_arg_max(axis, classes):
    shape = [7, 6, 5]
    shape[axis] = classes
    probability = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    labels = labels_of(probability, axis)
    assert labels.dtype == torch.uint8 and torch.equal(labels.long(), probability.argmax(dim=axis))


def test_a_tie_goes_to_the_lower_class():
    tied = torch.tensor([[0.5, 0.2, 0.2, 0.4], [0.5, 0.4, 0.4, 0.2], [0.0, 0.4, 0.4, 0.4]])
    assert labels_of(tied, axis=0).tolist() == [0, 1, 1, 0]
    assert count_labels(labels_of(tied, axis=0), 3).tolist() == [2, 2, 0]
