"""The random numbers: uniform, independent of their neighbours, and the same bits wherever they are made."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from caveat.networks.draws import hash_noise
from caveat.networks.draws.draw import Draw, first_draws
from caveat.networks.draws.hash_noise import (
    gaussian,
    gaussian_on_grid,
    hash32,
    layer_key,
    uniform,
    uniform_on_grid,
)

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
SEEDS = [0, 1, 2, 2**31, 2**40 + 5]
AXES = ["draw", "layer", "channel", "row", "column"]


def noise(seed: int, make=uniform) -> torch.Tensor:
    """(draws, layers, channels, rows, columns), keyed as consistent dropout keys it."""
    draws = torch.tensor([draw.key for draw in first_draws(8, seed)]).reshape(-1, 1, 1, 1, 1)
    layers = torch.tensor([layer_key(f"dropout.{number}") for number in range(4)]).reshape(-1, 1, 1, 1)
    channels, rows, columns = (torch.arange(16).reshape(-1, *[1] * axes) for axes in (2, 1, 0))
    return make(draws, layers, channels, rows, columns)


def on_grid(make):
    """As `noise` keys it, the last two axes being a grid's."""
    return lambda draws, layers, channels, rows, columns: make((draws, layers, channels), (rows, columns))


UNIFORM = pytest.mark.parametrize("make", [uniform, on_grid(uniform_on_grid)], ids=["keyed", "on a grid"])
GRID = pytest.mark.parametrize("make", [uniform_on_grid, gaussian_on_grid])
GAUSSIAN = pytest.mark.parametrize("make", [gaussian, on_grid(gaussian_on_grid)], ids=["keyed", "on a grid"])


def test_golden_values() -> None:
    """Pinned: results of earlier versions must be drawn again."""
    assert layer_key("") == 0xE3B0C442  # the well-known sha256 of nothing begins so
    assert layer_key("dropout.0") == 2233669274
    assert int(hash32(0)) == 3473354341
    assert int(hash32(1, 2, 3)) == 690985591
    assert [draw.key for draw in first_draws(3)] == [1879943191, 2915443175, 893968654]
    assert Draw(5, seed=2**40).key == 2209831348
    assert hash32(7, torch.arange(4)).tolist() == [1445533816, 202323462, 416368525, 1359178673]
    assert uniform(7, torch.arange(2)).tolist() == [0.3365645408630371, 0.04710710048675537]
    grid = (7, 1), (torch.arange(2).reshape(-1, 1), torch.arange(3))
    one = [[2384036629, 1903343647, 537468940], [15037172, 3977326485, 3536764622]]
    other = [[742125212, 3322156065, 1347205220], [1871071532, 1712751862, 3116206175]]
    assert torch.equal(uniform_on_grid(*grid), torch.tensor(one) // 2**8 / 2**24)
    torch.testing.assert_close(gaussian_on_grid(*grid), box_muller(torch.tensor(one), torch.tensor(other)), atol=1e-6, rtol=0)


def test_mixing_step_against_plain_integers() -> None:
    """The published permutation, written out with Python's unbounded integers."""

    def mix(h: int) -> int:
        h ^= h >> 15
        h = h * 0x2C1B3C6D % 2**32
        h ^= h >> 12
        h = h * 0x297A2D39 % 2**32
        return h ^ (h >> 15)

    keys = [3, 2**33 + 17, 0xFFFFFFFF, 2**62 + 1]
    state = 0x9E3779B9
    for key in keys:
        state = mix((mix((key % 2**32) ^ state) + key // 2**32 + 0x9E3779B9) % 2**32)
    assert int(hash32(*keys)) == state
    assert int(hash32(*[torch.tensor(key) for key in keys])) == state


def test_range_and_type() -> None:
    values = hash32(torch.arange(100_000))
    assert values.dtype == torch.int64 and values.min() >= 0 and values.max() < 2**32
    assert uniform(torch.arange(100_000)).dtype == torch.float32
    assert uniform(torch.arange(100_000)).max() < 1.0
    assert gaussian(torch.arange(10)).dtype == torch.float32


@UNIFORM
@pytest.mark.parametrize("seed", SEEDS)
def test_uniform_as_a_whole(seed: int, make) -> None:
    values = noise(seed, make).flatten().double().numpy()
    counts = torch.histc(noise(seed, make), 256, 0.0, 1.0)
    assert stats.kstest(values, "uniform").pvalue > 1e-4
    assert stats.chisquare(counts.numpy()).pvalue > 1e-4


@UNIFORM
@pytest.mark.parametrize("axis", range(5), ids=AXES)
def test_uniform_along_every_axis(axis: int, make) -> None:
    """Each draw, layer, channel, row and column on its own, over many seeds."""
    pooled = torch.stack([noise(seed, make) for seed in range(8)], dim=-1).movedim(axis, 0).flatten(1)
    pvalues = [stats.kstest(values.double().numpy(), "uniform").pvalue for values in pooled]
    assert min(pvalues) > 1e-3 / len(pvalues)


def test_uniform_where_only_few_numbers_are_used() -> None:
    """A channel mask takes a handful of values of each (draw, layer): first channels over many draws and layers."""
    draws = torch.tensor([draw.key for draw in first_draws(4096)]).reshape(-1, 1)
    for layer in range(4):
        first_channels = uniform(draws, layer_key(f"up.{layer}"), torch.arange(4))
        for channel in first_channels.T:
            assert stats.kstest(channel.double().numpy(), "uniform").pvalue > 1e-4


@UNIFORM
@pytest.mark.parametrize("lag", [1, 2, 4, 7])
@pytest.mark.parametrize("axis", range(5), ids=AXES)
def test_neighbours_are_uncorrelated(axis: int, lag: int, make) -> None:
    values = torch.stack([noise(seed, make) for seed in range(4)], dim=-1).movedim(axis, 0).double()
    lag = min(lag, len(values) - 1)
    assert_uncorrelated(values[:-lag], values[lag:])


@pytest.mark.parametrize("axes", [(2, 3), (3, 4), (0, 1), (0, 2), (2, 4)], ids=lambda axes: "-".join(AXES[axis] for axis in axes))
@UNIFORM
def test_diagonal_neighbours_are_uncorrelated(axes: tuple[int, int], make) -> None:
    values = torch.stack([noise(seed, make) for seed in range(4)], dim=-1).movedim(axes, (0, 1)).double()
    assert_uncorrelated(values[:-1, :-1], values[1:, 1:])
    assert_uncorrelated(values[:-1, 1:], values[1:, :-1])


@UNIFORM
def test_exchanged_coordinates_are_uncorrelated(make) -> None:
    grid = noise(0, make).double()
    above = torch.ones(16, 16).triu(1).bool()
    assert_uncorrelated(grid[..., above], grid.transpose(-1, -2)[..., above])
    assert_uncorrelated(grid[:, :, above], grid.movedim(2, 3)[:, :, above])


@pytest.mark.parametrize("other", [1, 2, 256, 2**16, 2**31, 2**32, 2**33])
@UNIFORM
def test_seeds_are_uncorrelated(other: int, make) -> None:
    assert_uncorrelated(noise(0, make).double(), noise(other, make).double())


def test_seed_and_index_are_not_exchangeable() -> None:
    keys = {Draw(index, seed).key for index in range(200) for seed in range(200)}
    assert len(keys) >= 200 * 200 - 2  # of 40 000 numbers of 32 bits 0.2 pairs collide


def test_masks_of_draws_are_uncorrelated() -> None:
    """What dropout uses: the comparison with p, in draws of one seed."""
    masks = (noise(0) < 0.2).double()
    for one in range(len(masks)):
        for other in range(one):
            assert_uncorrelated(masks[one], masks[other])


def test_every_bit_of_a_key_moves_every_bit_of_the_hash() -> None:
    keys = hash32(torch.arange(4096)) | hash32(torch.arange(4096), 1) << 31
    before = hash32(5, keys)
    for bit in range(63):
        changed = before ^ hash32(5, keys ^ (1 << bit))
        share = torch.stack([(changed >> place & 1).double().mean() for place in range(32)])
        assert (share - 0.5).abs().max() < 5 * 0.5 / math.sqrt(4096)


def test_the_same_bits_under_any_cut_and_layout() -> None:
    rows, columns = torch.arange(40).reshape(-1, 1), torch.arange(50)
    whole = hash32(3, rows, columns)
    for top, left in [(0, 0), (13, 7), (39, 49)]:
        assert torch.equal(whole[top:, left:], hash32(3, rows[top:], columns[left:]))
    assert torch.equal(whole, hash32(3, rows.expand(40, 50), columns.expand(40, 50)))
    assert torch.equal(whole, hash32(3, rows.expand(40, 50).T.contiguous().T, columns.expand(40, 50)))
    assert torch.equal(whole.flip(0), hash32(3, rows.flip(0), columns))
    assert torch.equal(whole[::3, ::2], hash32(3, rows[::3], columns[::2]))
    assert whole.tolist() == [[int(hash32(3, row, column)) for column in range(50)] for row in range(40)]


def test_the_same_bits_whatever_the_number_of_threads() -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = uniform(1, torch.arange(100_000))
        torch.set_num_threads(2)
        assert torch.equal(one, uniform(1, torch.arange(100_000)))
    finally:
        torch.set_num_threads(threads)


@GAUSSIAN
@pytest.mark.parametrize("seed", SEEDS)
def test_gaussian_moments_and_shape(seed: int, make) -> None:
    values = noise(seed, make).flatten().double().numpy()
    size = len(values)
    assert abs(values.mean()) < 4 / math.sqrt(size)
    assert abs(values.var() - 1) < 4 * math.sqrt(2 / size)
    assert abs(stats.skew(values)) < 4 * math.sqrt(6 / size)
    assert abs(stats.kurtosis(values)) < 4 * math.sqrt(24 / size)
    assert stats.kstest(values, "norm").pvalue > 1e-4


def test_gaussian_is_the_formula_of_box_and_muller() -> None:
    radius, angle = ((int(hash32(9, 4, part)) + 0.5) / 2**32 for part in (1, 2))
    expected = math.sqrt(-2 * math.log(radius)) * math.cos(2 * math.pi * angle)
    assert float(gaussian(9, 4)) == pytest.approx(expected, abs=1e-6)


@GAUSSIAN
def test_gaussian_neighbours_are_uncorrelated(make) -> None:
    values = noise(0, make).double()
    for axis in range(values.ndim):
        along = values.movedim(axis, 0)
        assert_uncorrelated(along[:-1], along[1:])
        assert_uncorrelated(along[:-1].square(), along[1:].square())


def test_no_two_rows_of_a_large_study_hold_the_same_numbers() -> None:
    """In whatever order: with 32 bits of state 16 pairs of 32 768 rows did."""
    planes, rows = torch.arange(128).reshape(-1, 1, 1), torch.arange(256).reshape(-1, 1)
    for make in (uniform_on_grid, gaussian_on_grid):
        alike = make((Draw(0).key, 5, 1), (planes, rows, torch.arange(256))).flatten(0, 1).sort(dim=1).values
        assert len(torch.unique(alike, dim=0)) == len(alike)


def test_grid_numbers_are_the_same_under_any_cut() -> None:
    rows, columns = torch.arange(40).reshape(-1, 1), torch.arange(50)
    whole = gaussian_on_grid((3, 2**40), (rows, columns))
    assert torch.equal(whole[13:, 7:], gaussian_on_grid((3, 2**40), (rows[13:], columns[7:])))
    assert torch.equal(whole[0], gaussian_on_grid((3, 2**40), (torch.tensor(0), columns)))


@GRID
@pytest.mark.parametrize("at_a_time", [1, 49, 51, 120])
def test_grid_numbers_are_the_same_however_many_are_made_at_a_time(make, at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """For several keys at once too, as draws and channels are."""
    keys = torch.tensor([[5], [2**31]]).reshape(2, 1, 1, 1), torch.arange(3).reshape(3, 1, 1)
    coordinates = torch.arange(4).reshape(4, 1), torch.arange(50)
    expected = torch.stack([torch.stack([make((int(one), two), coordinates) for two in range(3)]) for one in keys[0].flatten()])
    monkeypatch.setitem(hash_noise._AT_A_TIME, "cpu", at_a_time)
    assert torch.equal(make(keys, coordinates), expected)


@CUDA
def test_the_same_bits_on_the_gpu() -> None:
    rows, columns = torch.arange(300).reshape(-1, 1), torch.arange(200)
    assert torch.equal(hash32(3, 2**40, rows, columns), hash32(3, 2**40, rows.cuda(), columns.cuda()).cpu())
    assert torch.equal(uniform(3, rows, columns), uniform(3, rows.cuda(), columns.cuda()).cpu())
    torch.testing.assert_close(gaussian(3, rows, columns), gaussian(3, rows.cuda(), columns.cuda()).cpu(), atol=1e-6, rtol=0)
    for coordinates in ((rows, columns), (columns,)):
        there = [axis.cuda() for axis in coordinates]
        assert torch.equal(uniform_on_grid((3,), coordinates), uniform_on_grid((3,), there).cpu())
        torch.testing.assert_close(gaussian_on_grid((3,), coordinates), gaussian_on_grid((3,), there).cpu(), atol=1e-6, rtol=0)


def box_muller(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Of two hashes of 32 bits, as published."""
    radius, angle = ((bits.double() + 0.5) / 2**32 for bits in (one, other))
    return ((-2 * radius.log()).sqrt() * (2 * math.pi * angle).cos()).float()


def assert_uncorrelated(one: torch.Tensor, other: torch.Tensor) -> None:
    """Pearson's correlation below four standard errors."""
    pair = torch.stack([one.flatten(), other.flatten()])
    assert abs(float(torch.corrcoef(pair)[0, 1])) < 4 / math.sqrt(pair.shape[1])
