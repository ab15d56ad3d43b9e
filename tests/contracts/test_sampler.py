"""What every sampler promises; see the contract in networks/draws/sampler.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from discover import concrete_subclasses
from torch import nn

from caveat.networks.draws.draw import Draw, first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Sampler, Source
from caveat.networks.draws.scriptable import SIDE

SAMPLERS = concrete_subclasses(Sampler, "caveat.networks")
SIZE = 32
"""Windows and their origins are multiples of 8, which suits the stride of every example."""


@pytest.fixture(params=SAMPLERS, ids=lambda kind: kind.__name__)
def sampler(request: pytest.FixtureRequest) -> Sampler:
    return without_padding_effects(request.param.example())


def without_padding_effects(sampler: Sampler) -> Sampler:
    """Leave the centre of each convolution kernel, so that nothing looks beyond a window's border."""
    for module in sampler.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d) and module.kernel_size != module.stride:
            if any(extent % 2 == 0 for extent in module.kernel_size):
                raise ValueError(f"a kernel of even size has no centre: {module}")
            centre = (..., *(extent // 2 for extent in module.kernel_size))
            kept = module.weight.data[centre].clone()
            module.weight.data.zero_()
            module.weight.data[centre] = kept
    return sampler


def a_study(size: int = SIZE) -> torch.Tensor:
    return torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(1))


def cut(size: Sequence[int], window: int, step: int) -> list[Place]:
    """Windows over a padded study."""
    starts = [range(0, extent - window + 1, step) for extent in size]
    return [Place((row, column), (window, window), tuple(size)) for row in starts[0] for column in starts[1]]


@torch.no_grad()
def draw_study(
    sampler: Sampler,
    study: torch.Tensor,
    draws: Sequence[Draw],
    window: int = SIZE,
    step: int = SIZE,
    batch: int = 1,
    turned: bool = False,
) -> torch.Tensor:
    """Logits of the whole study, (draws, classes, *spatial): windows averaged where they overlap."""
    if sampler.has_views and len(draws) > 1:
        return torch.cat([draw_study(sampler, study, [draw], window, step, batch, turned) for draw in draws])
    viewed, inverse = sampler.view(study, draws[0]) if sampler.has_views else (study, lambda values: values)
    context = sampler.begin(viewed)
    places = cut(viewed.shape[2:], window, step)
    places = places[::-1] if turned else places
    total, count = torch.zeros(()), torch.zeros(viewed.shape[2:])
    for first in range(0, len(places), batch):
        some = places[first : first + batch]
        windows = torch.cat([viewed[(..., *box(place))] for place in some])
        logits = sampler.decode(sampler.encode(windows, some, context), draws, some, context)  # (draws, B, classes, *spatial)
        for number, place in enumerate(some):
            if total.ndim == 0:
                total = torch.zeros(*logits.shape[:1], logits.shape[2], *viewed.shape[2:])
            total[(..., *box(place))] += logits[:, number]
            count[box(place)] += 1
    return inverse(total / count)


def box(place: Place) -> tuple[slice, ...]:
    return tuple(slice(origin, origin + extent) for origin, extent in zip(place.origin, place.size, strict=True))


def some_draws(sampler: Sampler, seed: int = 0) -> list[Draw]:
    return first_draws(min(4, sampler.capacity or 4), seed)


def test_declares_what_it_is(sampler: Sampler) -> None:
    assert isinstance(sampler.source, Source)
    assert sampler.capacity is None or sampler.capacity >= 2
    assert sampler.align >= 1
    assert not any(module.training for module in sampler.modules())


def test_logits_are_draws_by_windows_by_classes(sampler: Sampler) -> None:
    places = cut((SIZE, SIZE), 16, 16)
    windows = torch.rand(len(places), 1, 16, 16)
    draws = some_draws(sampler)[: 1 if sampler.has_views else 3]
    with torch.no_grad():
        context = sampler.begin(a_study())
        features = sampler.encode(windows, places, context)
        assert sampler.decode(features, draws, places, context).shape == (len(draws), len(places), 2, 16, 16)
        summary = sampler.summary(features)
    assert summary.ndim == 2 and len(summary) == len(places) and bool(summary.isfinite().all())


@pytest.mark.parametrize("kind", SAMPLERS, ids=lambda kind: kind.__name__)
def test_draws_differ(kind: type[Sampler]) -> None:
    sampler = kind.example()  # with its kernels whole: a pointwise network does not see that a study is mirrored
    logits = draw_study(sampler, a_study(), first_draws(sampler.capacity or 8))
    distances = torch.pdist(logits.flatten(1), p=torch.inf)
    assert distances.min() > 1e-3


def test_a_draw_repeats(sampler: Sampler) -> None:
    draws = some_draws(sampler)
    first = draw_study(sampler, a_study(), draws)
    draw_study(sampler, a_study(48), draws)  # what was drawn between leaves no trace
    assert torch.equal(first, draw_study(sampler, a_study(), draws))


def test_a_second_instance_draws_the_same(sampler: Sampler) -> None:
    twin = without_padding_effects(type(sampler).example())
    assert torch.equal(draw_study(sampler, a_study(), some_draws(sampler)), draw_study(twin, a_study(), some_draws(twin)))


def test_another_seed_differs_unless_the_draws_are_numbered(sampler: Sampler) -> None:
    one, other = (draw_study(sampler, a_study(), some_draws(sampler, seed)) for seed in (0, 1))
    if sampler.capacity is None:
        assert all((first - second).abs().max() > 1e-3 for first, second in zip(one, other, strict=True))
    else:
        assert torch.equal(one, other)


def test_a_draw_does_not_depend_on_its_companions(sampler: Sampler) -> None:
    draws = some_draws(sampler)
    together = draw_study(sampler, a_study(), draws)
    alone = torch.cat([draw_study(sampler, a_study(), [draw]) for draw in draws])
    backwards = draw_study(sampler, a_study(), draws[::-1]).flip(0)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together, backwards, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("window", "step"), [(16, 16), (16, 8), (24, 8), (8, 8)])
def test_a_draw_does_not_depend_on_the_cut(sampler: Sampler, window: int, step: int, batch: int, turned: bool) -> None:
    draws = some_draws(sampler)
    whole = draw_study(sampler, a_study(), draws)
    cut_up = draw_study(sampler, a_study(), draws, window=window, step=step, batch=batch, turned=turned)
    torch.testing.assert_close(cut_up, whole, atol=1e-5, rtol=1e-5)


def test_drawing_leaves_no_trace_in_the_state(sampler: Sampler) -> None:
    before = {name: tensor.clone() for name, tensor in sampler.state_dict().items()}
    draw_study(sampler, a_study(), some_draws(sampler), window=16, step=8)
    after = sampler.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_forward_is_deterministic_and_touches_no_random_state(sampler: Sampler) -> None:
    windows, state = a_study().repeat(2, 1, 1, 1), torch.get_rng_state()
    with torch.no_grad():
        first = sampler(windows)
        draw_study(sampler, a_study(), some_draws(sampler))
        second = sampler(windows)
    assert first.shape == (2, 2, SIZE, SIZE)
    assert torch.equal(first, second)
    assert torch.equal(state, torch.get_rng_state())


def test_more_draws_than_there_are_is_an_error(sampler: Sampler) -> None:
    draw_study(sampler, a_study(), [Draw(1000 if sampler.capacity is None else sampler.capacity - 1)])
    if sampler.capacity is not None:
        for index in (sampler.capacity, -1):
            with pytest.raises(ValueError, match="no draw"):
                draw_study(sampler, a_study(), [Draw(index)])


@pytest.mark.parametrize("size", [(7, 10), (8, 8), (1, 5)])
def test_a_view_is_undone_exactly(sampler: Sampler, size: tuple[int, int]) -> None:
    study = torch.rand(1, 3, *size)
    for draw in some_draws(sampler) if sampler.capacity is None else first_draws(sampler.capacity):
        viewed, inverse = sampler.view(study, draw)
        assert torch.equal(inverse(viewed), study)
        assert inverse(viewed.repeat(2, 1, 1, 1)).shape == (2, 3, *size)
        assert sampler.has_views or viewed is study


def test_draws_survive_a_parent_that_was_in_training_mode(sampler: Sampler) -> None:
    """Put into training mode by its parent, a sampler refuses or stays in evaluation mode: batch statistics never move."""
    draws = some_draws(sampler)
    before = draw_study(sampler, a_study(), draws)
    state = {name: tensor.clone() for name, tensor in sampler.state_dict().items()}
    parent = nn.ModuleList([sampler]).train()
    if sampler.training:
        with pytest.raises(ValueError, match="evaluation mode"):
            draw_study(sampler, a_study(), draws)
    assert all(torch.equal(state[name], tensor) for name, tensor in sampler.state_dict().items())
    parent.eval()
    assert torch.equal(before, draw_study(sampler, a_study(), draws))


def test_gradients_reach_the_weights_through_forward(sampler: Sampler) -> None:
    sampler(a_study()).square().mean().backward()
    assert any(parameter.grad is not None and bool(parameter.grad.abs().sum() > 0) for parameter in sampler.parameters())


def test_torchscript_compiles_the_deterministic_pass(sampler):
    study = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    compiled = torch.jit.script(sampler)
    with torch.no_grad():
        assert torch.equal(compiled(study), sampler(study))
