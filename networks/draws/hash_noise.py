"""Random numbers as a pure function of where they are used.

A counter-based integer hash: the same bits on CPU and GPU, in any order, for any cut into windows. Keys are mixed in
64-bit integers: every number is at most 32 bits wide and every multiplier below 2**31, so that no product overflows. At the
elements of a grid, of which a study has millions, the same bits are mixed in place in 32-bit integers, whose products wrap as
two's complement does: half the memory, and an instruction that processors have.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

_MASK = 0xFFFFFFFF
_SIGN = 0x80000000
_MULTIPLIERS = (0x2C1B3C6D, 0x297A2D39)
_SHIFTS = (15, 12, 15)
_GOLDEN = 0x9E3779B9
_SECOND = 0x7F4A7C15
GRID_NOISE = 2
"""Version of the numbers at the elements of a grid. 1 had 32 bits of state: on 128 x 256 x 256 some 16 pairs of rows held the
same numbers in another order."""


def layer_key(name: str) -> int:
    """The 32-bit key of a layer: the first four bytes of the sha256 of its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def hash32(*keys: int | torch.Tensor) -> torch.Tensor:
    """Hash integers, or integer tensors that broadcast, into 32 bits.

    Args:
        keys: non-negative integers below 2**63 or int64 tensors; the order matters.

    Returns:
        int64 tensor of the broadcast shape, uniform in [0, 2**32).

    Source: the mixing step is the two-round 32-bit permutation with multipliers 0x2c1b3c6d and 0x297a2d39 from
    Wellons, "Prospecting for Hash Functions" (2018), applied once after each key.
    """
    state: int | torch.Tensor = _GOLDEN
    for key in keys:
        state = _mix(_mix((key & _MASK) ^ state) + (key >> 32) + _GOLDEN & _MASK)
    return torch.as_tensor(state, dtype=torch.int64)


def uniform(*keys: int | torch.Tensor) -> torch.Tensor:
    """Uniform float32 in [0, 1) with 24 bits, the same bits on every device. Keys as `hash32`."""
    return (hash32(*keys) >> 8).to(torch.float32) * 2.0**-24


def gaussian(*keys: int | torch.Tensor) -> torch.Tensor:
    """Standard normal float32, equal on every device to 1e-6. Keys as `hash32`.

    Source: Box and Muller 1958, in float64.
    """
    return _box_muller(hash32(*keys, 1), hash32(*keys, 2))


def uniform_on_grid(keys: Sequence[int | torch.Tensor], coordinates: Sequence[torch.Tensor]) -> torch.Tensor:
    """Uniform float32 in [0, 1) at every element of a grid. Args: see `_on_grid`."""

    def numbers(last: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return _shifted(_mix_last(last, one, other), 8).to(torch.float32).mul_(2.0**-24)

    return _on_grid(keys, coordinates, numbers)


def gaussian_on_grid(keys: Sequence[int | torch.Tensor], coordinates: Sequence[torch.Tensor]) -> torch.Tensor:
    """Standard normal float32 at every element of a grid. Args: see `_on_grid`."""

    def numbers(last: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        pairs = (one, other), (other, one)
        return _box_muller(*(_mix_last(last, *pair).to(torch.int64) & _MASK for pair in pairs))

    return _on_grid(keys, coordinates, numbers)


_Numbers = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
_AT_A_TIME = {"cpu": 2**16, "cuda": 2**24}
"""Elements that are mixed at once: on a processor what its cache holds, which makes it twice as fast."""


def _on_grid(keys: Sequence[int | torch.Tensor], coordinates: Sequence[torch.Tensor], numbers: _Numbers) -> torch.Tensor:
    """Numbers at every element, from hashes of 32 bits that have 64 bits of state: a study has millions of them.

    What leads to a row, all coordinates but the last, gives two states; a hash adds one of them before its first and the other
    before its second mixing, so that rows which agree in one state do not hold the same numbers.

    Args:
        keys: as `hash32`; a tensor has an axis of length 1 for the last coordinate.
        coordinates: int64 in [0, 2**32), one tensor an axis, that broadcast with the keys and each other; the last one varies
            along the last axis alone.
        numbers: of the last coordinate, (1, n), and the two states of some rows, (rows, 1), all int32, what stands there.
    """
    *rows, last = coordinates
    one, other = (_row_states(begin, keys, rows).to(last.device) for begin in ((), (_SECOND,)))
    states = [state.reshape(-1, 1).split(max(1, _AT_A_TIME[last.device.type] // last.numel())) for state in (one, other)]
    made = [numbers(_signed(last).reshape(1, -1), *some) for some in zip(*states, strict=True)]
    return torch.cat(made).reshape(torch.broadcast_shapes(one.shape, last.shape))


def _row_states(begin: Sequence[int], keys: Sequence[int | torch.Tensor], rows: Sequence[torch.Tensor]) -> torch.Tensor:
    """The bits of `hash32(*begin, *keys, *rows)` as int32."""
    state = _signed(hash32(*begin, *keys))
    for row in rows:
        state = _mix_in_place(_mix_in_place(_signed(row) ^ state).add_(_GOLDEN - 2**32))
    return state


def _mix_last(last: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return _mix_in_place(_mix_in_place(last + first).add_(second))


def _signed(bits: torch.Tensor) -> torch.Tensor:
    """Of int64 in [0, 2**32) the int32 of the same bits."""
    return ((bits ^ _SIGN) - _SIGN).to(torch.int32)


def _mix_in_place(h: torch.Tensor) -> torch.Tensor:
    """`_mix` of int32: a sum, a product or a shift to the left leaves the lower 32 bits as they are in any wider integer."""
    for shift, multiplier in zip(_SHIFTS, _MULTIPLIERS, strict=False):
        h.bitwise_xor_(_shifted(h, shift)).mul_(multiplier)
    return h.bitwise_xor_(_shifted(h, _SHIFTS[-1]))


def _shifted(h: torch.Tensor, by: int) -> torch.Tensor:
    """To the right, zeros coming in: torch's shift of a negative number brings in ones."""
    return (h >> by).bitwise_and_((1 << 32 - by) - 1)


def _box_muller(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    radius = (one.to(torch.float64) + 0.5) * 2.0**-32
    angle = (other.to(torch.float64) + 0.5) * 2.0**-32
    return (torch.sqrt(-2.0 * torch.log(radius)) * torch.cos(2.0 * math.pi * angle)).to(torch.float32)


_Hashed = TypeVar("_Hashed", int, torch.Tensor, int | torch.Tensor)


def _mix(h: _Hashed) -> _Hashed:
    for shift, multiplier in zip(_SHIFTS, _MULTIPLIERS, strict=False):
        h = ((h ^ (h >> shift)) * multiplier) & _MASK
    return h ^ (h >> _SHIFTS[-1])
