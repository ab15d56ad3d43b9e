"""What every target must keep: one structure has one value, whoever drew it and however it came."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from discover import concrete_subclasses
from monai.data import MetaTensor
from monai.transforms import Compose, Identityd

from caveat.inference.answers.report_on_input_grid import ReportOnInputGridd
from caveat.inference.engine.block import Block
from caveat.inference.engine.study_grid import GridElement, StudyGrid, element_of_grid
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.moments import Moments
from caveat.inference.stored.true_value import true_value
from caveat.inference.stored.truths import Truth
from caveat.inference.targets.drawn import Drawn
from caveat.inference.targets.target import Target
from caveat.networks.draws.draw import first_draws

SPACING_MM = (2.5, 0.8, 0.5)
SIZE = (9, 12, 14)


def element(dimensions: int, known: bool = True) -> GridElement:
    meta = {"spacing_source": "the file" if known else ""}
    return element_of_grid(affine(dimensions) if known else np.eye(4), meta, dimensions)


def affine(dimensions: int) -> np.ndarray:
    return np.diag([*SPACING_MM[:dimensions], *[1.0] * (4 - dimensions)])


def grids_of(kind: type[Target]) -> list[int]:
    """Numbers of axes that there is such a quantity for."""
    found = []
    for dimensions in (2, 3):
        try:
            kind.example().unit(element(dimensions))
        except ValueError:
            continue
        found.append(dimensions)
    return found


KINDS = concrete_subclasses(Target, "caveat.inference.targets")
GRIDS = [pytest.param(kind, axes, id=f"{kind.__name__}, {axes}-D") for kind in KINDS for axes in grids_of(kind)]


def labels(dimensions: int) -> np.ndarray:
    """A ragged body of class 1 with an island, and class 2 beside it."""
    random = np.random.default_rng(2)
    middle = [np.abs(axis - extent / 2 + 1) for axis, extent in zip(np.indices(SIZE[:dimensions]), SIZE, strict=False)]
    found = (sum(middle) + random.uniform(0, 3, SIZE[:dimensions]) < 6).astype(np.uint8)
    found[-1], found[(-1,) * dimensions] = 0, 1
    found[0] = 2
    return found


def probability(labels: np.ndarray) -> torch.Tensor:
    """(classes, *spatial). Each label is likely."""
    return torch.stack([torch.from_numpy(labels == index).float() for index in range(3)]) * 0.9 + 1 / 30


def drawn(labels: np.ndarray, known: bool = True) -> Drawn:
    return Drawn.of_labels(element(labels.ndim, known), labels, 3, labels.size)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_there_is_some_grid_for_it(kind):
    assert grids_of(kind) and kind.example().classes == (1,)


@pytest.mark.parametrize("kind,axes", GRIDS)
def test_no_mask_is_more_than_the_largest_value_and_the_whole_region_is_that(kind, axes):
    target, found = kind.example(), labels(axes)
    most = target.at_most(element(axes), found.size)
    assert (most is None) == target.needs_mask
    if most is not None:
        assert target.of(drawn(found)) < most == target.of(drawn(np.ones_like(found)))


@pytest.mark.parametrize("kind,axes", GRIDS)
def test_a_draw_the_reported_mask_the_inputs_grid_and_a_rater_have_one_value(kind, axes):
    target, found = kind.example(), labels(axes)
    expected = target.of(drawn(found))
    values = probability(found)[None].repeat(2, *[1] * (axes + 1))
    reducers = [Moments(), Extent([target])]
    results = {}
    for reducer in reducers:
        reducer.begin(StudyGrid(SIZE[:axes], 3, 2, element(axes)))
        for start, rows in ((0, values[:, :, :4]), (4, values[:, :, 4:])):
            reducer.update(Block(start, rows), first_draws(2), rows)
        results[reducer.name] = reducer.finish(results)
    entry = results["Extent"].answers[0]
    assert entry["value"] == expected and entry["draws"]["values"] == [expected, expected]
    assert entry["unit"] == target.unit(element(axes)) and entry["name"] == target.name

    meta = {"spacing_source": "the file"}
    result = {"input": {"affine": affine(axes).tolist(), **meta}}
    assert true_value(target, Truth("rater", found, np.ones_like(found, bool)), result) == expected

    image = MetaTensor(torch.zeros(1, *found.shape), affine=affine(axes), meta=meta)
    facts = {"answers": [entry], "study_scores": {}, "sampling": {}}
    study = {"input": image, "image": image, "pred_pred": probability(found), "pred_result": json.dumps(facts)}
    reported = ReportOnInputGridd(Compose([Identityd("image")]), "image", [target], maps=())(study)["result"]
    assert reported["answers"][0]["value_on_input_grid"] == expected
    assert reported["status"] == "OK" and "GRID_MATTERS" not in reported["flags"]


@pytest.mark.parametrize("kind,axes", GRIDS)
def test_the_order_and_direction_of_the_axes_do_not_matter(kind, axes):
    target, found = kind.example(), labels(axes)
    known = element(axes)
    turned = GridElement(known.size, known.unit, known.spacing[::-1])
    mirrored = Drawn.of_labels(turned, np.ascontiguousarray(found.T[::-1]), 3, found.size)
    assert target.of(mirrored) == pytest.approx(target.of(drawn(found)), rel=1e-9)


@pytest.mark.parametrize("kind,axes", GRIDS)
def test_other_classes_do_not_matter(kind, axes):
    found = labels(axes)
    assert kind.example().of(drawn(found)) == kind.example().of(drawn(np.where(found == 2, 0, found)))


@pytest.mark.parametrize("kind,axes", GRIDS)
def test_what_is_there_is_found_and_what_is_not_has_a_number_too(kind, axes):
    target, found = kind.example(), labels(axes)
    single = Drawn.of_one_element(element(axes), target.classes, found.size)
    assert target.found(target.of(drawn(found))) is True and target.found(target.of(single)) is True
    nothing = target.of(drawn(np.zeros_like(found)))
    assert np.isfinite(nothing) and isinstance(target.found(nothing), bool)


@pytest.mark.parametrize("kind,axes", GRIDS)
def test_mm_stand_only_where_the_spacing_is_known(kind, axes):
    target, found = kind.example(), labels(axes)
    with_spacing, without = target.unit(element(axes)), target.unit(element(axes, known=False))
    assert with_spacing and not any(word in without for word in ("mm", "mL", "cm"))
    if with_spacing == without:  # then it is a share, or a number: the same whatever the spacing
        assert target.of(drawn(found)) == target.of(drawn(found, known=False))


@pytest.mark.parametrize("kind,axes", GRIDS)
def test_it_says_whether_it_needs_the_mask(kind, axes):
    target, found = kind.example(), drawn(labels(axes))
    counted = Drawn(found.element, found.counts, found.region_count)
    if target.needs_mask:
        with pytest.raises(ValueError, match="mask"):
            target.of(counted)
    else:
        assert target.of(counted) == target.of(found)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_raters_who_agree_have_their_value(kind):
    assert kind.example().of_raters([3.25, 3.25, 3.25]) == 3.25
