"""SamplingInferer: one study in, statistics of its draws out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from tqdm import tqdm

from caveat.reasons import StudyRefused

from ...networks.compiled.compile_sampler import compile_sampler
from ...networks.draws.draw import Draw, first_draws
from ...networks.draws.evaluation_mode import evaluation_mode
from ...networks.draws.sampler import Sampler
from .block import Block
from .link import Link
from .reducer import Reducer, Reduction
from .stream import RowStream
from .study_grid import StudyGrid, element_of_grid, spacing_of_grid
from .windows import WindowPlan, plan_windows

_BLOCK_BYTES = 4 * 2**20
ENGINES = ("torch", "openvino")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class _View:
    """A study as some draws see it: all draws alike, but for those with views of their own.

    Args:
        plan: its windows.
        padded: the study as these see it, (1, C, *padded size).
        context: what the sampler found in it.
        inverse: the way back onto the study's grid.
    """

    plan: WindowPlan
    padded: torch.Tensor
    context: Any
    inverse: Callable[[torch.Tensor], torch.Tensor]


class SamplingInferer(Inferer):
    """Sliding windows for samplers: a draw is one hypothesis about the whole study, and memory does not grow with their number.

    Chunk by chunk of draws, windows in slab order; a window is encoded once a chunk and decoded for the chunk's draws;
    logits are blended in float32; rows that no later window touches get the link once and go to the reducers.

    Args:
        roi_size: window, voxels per axis.
        class_names: of the classes, background first.
        reducers: statistics to take; `Moments` must be among them.
        draws: how many; 0 takes the sampler's capacity.
        seed: of the draws.
        overlap: share of a window that the next one repeats, in [0, 1).
        blending: "gaussian" or "constant".
        clip_windows: cut a window that is larger than the study down to it, and say so: for a preprocessing that pads studies
            itself, as the network was trained. Otherwise the rest of such a window is zeros, as in MONAI.
        link: "softmax", "sigmoid" or "identity", see `Link`. The network of a sigmoid has no channel for the background.
        temperature: of the link; fitted on early stopping units.
        region_channel: channel of the input that is 1 where the study is measured and 0 elsewhere; None measures everywhere.
        own_spacing_axes: axes of the grid along which the preprocessing leaves a study its own spacing. A record is then one of
            studies of many such distances, and is not tied to one.
        window_batch: windows encoded at once; None takes as many as make feature maps of `FEATURE_MIB`.
        decode_batch: windows times draws decoded at once, likewise.
        precision: "float32" or "bfloat16" for the convolutions.
        engine: "torch", or "openvino" for what of a sampler it computes, see `compile_sampler`: on the processor alone,
            equal to about 1e-6.
        budget_mib: memory for the rows of one chunk of draws; with the study's and window's size it fixes the chunk.
        progress: show a bar on stderr.
    """

    def __init__(
        self,
        roi_size: Sequence[int],
        class_names: Sequence[str],
        reducers: Sequence[Reducer],
        draws: int = 0,
        seed: int = 0,
        overlap: float = 0.25,
        blending: str = "gaussian",
        clip_windows: bool = False,
        link: str = "softmax",
        temperature: float = 1.0,
        region_channel: int | None = None,
        own_spacing_axes: Sequence[int] = (),
        window_batch: int | None = None,
        decode_batch: int | None = None,
        precision: str = "float32",
        engine: str = "torch",
        budget_mib: int = 512,
        progress: bool = False,
    ) -> None:
        super().__init__()
        self.roi_size = tuple(roi_size)
        self.class_names = tuple(class_names)
        self.reducers = in_order_of_needs(reducers)
        self.draws = draws
        self.seed = seed
        self.overlap = overlap
        self.blending = blending
        self.clip_windows = clip_windows
        if link == "softmax" and len(self.class_names) < 2:
            raise ValueError("the softmax of one class is 1 everywhere; the link of a network with one channel is sigmoid")
        self.link = Link(link, temperature)
        self.independent = link == "sigmoid"
        self.region_channel = region_channel
        self.own_spacing_axes = tuple(own_spacing_axes)
        self.window_batch = window_batch
        self.decode_batch = decode_batch
        self.precision = precision
        if engine not in ENGINES:
            raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine}")
        self.engine = engine
        self._compiled: tuple[Sampler, Sampler] | None = None
        self.budget_mib = budget_mib
        self.progress = progress

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Measure one study; threads wait for each other.

        Args:
            inputs: (1, C, *spatial), a MetaTensor where the result shall have units.
            network: a sampler; in evaluation mode for the call, each module in its own mode after it.

        Returns:
            `pred`: mean probability, (1, classes, *spatial); each map with a leading axis of 1; `samples`, (1, draws,
            classes, *spatial), where kept; `result`: one JSON string.

        Raises:
            ValueError: a batch of more than one study, a network that is no sampler, more draws than its capacity.
            StudyRefused: NON_FINITE_OUTPUT; WRONG_USAGE where the engine cannot run the sampler.
        """
        if inputs.shape[0] != 1:
            raise ValueError(f"one study a call, got a batch of {inputs.shape[0]}")
        if not isinstance(network, Sampler):
            raise ValueError(f"expected a sampler, got {type(network).__name__}; wrap a plain network in Ensemble([network])")
        draws = first_draws(self.resolve_draws(network), self.seed)
        with torch.no_grad(), evaluation_mode(network):
            return self._measure(inputs, self._on_engine(network, inputs.device), draws)

    def resolve_draws(self, network: Sampler) -> int:
        """How many draws a call will make. Raises: ValueError: none named, or more than the sampler has."""
        count = self.draws or network.capacity or 0
        if count < 1:
            raise ValueError("say how many draws: this sampler has no limit of its own")
        if network.capacity is not None and count > network.capacity:
            raise ValueError(f"{count} draws asked for, but {type(network).__name__} has {network.capacity}")
        return count

    def _on_engine(self, network: Sampler, device: torch.device) -> Sampler:
        """The sampler as the engine runs it; compiled once. Its weights are those of the first call."""
        if self.engine == "torch":
            return network
        if device.type != "cpu":
            raise StudyRefused("WRONG_USAGE", f"the engine {self.engine} runs on the processor; use --device cpu")
        if self._compiled is None or self._compiled[0] is not network:
            self._compiled = network, compile_sampler(network, self.precision)
        return self._compiled[1]

    def _measure(self, inputs: torch.Tensor, network: Sampler, draws: Sequence[Draw]) -> dict[str, Any]:
        study = inputs.as_tensor() if isinstance(inputs, MetaTensor) and not network.sees_geometry else inputs
        study = study.float()
        region = None if self.region_channel is None else study[0, self.region_channel] > 0.5
        chunk = 1 if network.has_views else self._chunk(study.shape[2:], len(draws))
        grid = self._grid(inputs, region, len(draws))
        for reducer in self.reducers:
            reducer.begin(grid)
        starts = range(0, len(draws), chunk)
        features: list[float] = []
        with tqdm(total=None, unit="window", disable=not self.progress, leave=False) as bar:
            view = None
            for first in starts:
                view = view if view and not network.has_views else self._view(study, network, draws[first])
                pooled = self._run_chunk(view, region, network, draws[first : first + chunk], bar)
                features = features or pooled.mean(dim=0).tolist()  # deterministic: those of the first chunk are those of all
            stated = None if view is None or network.has_views else network.stated(view.context)
        if stated is not None:
            for reducer in self.reducers:
                reducer.state(self.link(stated, region)[0])
        results: dict[str, Reduction] = {}
        for reducer in self.reducers:
            results[reducer.name] = reducer.finish(results)
        sampling = self._sampling(network, len(draws), chunk, inputs)
        facts = {"classes": list(self.class_names), "sampling": sampling, "features": features, "flags": self._flags(study)}
        return self._answer(results, facts)

    def _view(self, study: torch.Tensor, network: Sampler, draw: Draw) -> _View:
        """Cut the study as the draw sees it into windows, and let the sampler look at it."""
        seen, inverse = network.view(study, draw)
        plan = plan_windows(
            seen.shape[2:], self.roi_size, self.overlap, self.blending, align=network.align, clip=self.clip_windows
        )
        padded = plan.pad(seen)
        return _View(plan, padded, network.begin(padded), inverse)

    def _run_chunk(
        self, view: _View, region: torch.Tensor | None, network: Sampler, draws: Sequence[Draw], bar: tqdm
    ) -> torch.Tensor:
        """Run one chunk of draws and hand every finished block to the reducers. Returns: pooled features, (windows, channels)."""
        bar.total = view.plan.count() if bar.total is None else bar.total
        bar.reset()
        stream = RowStream(network, view.plan, self.window_batch, self.decode_batch, PRECISIONS[self.precision], bar.update)
        rows = stream.rows(view.padded, view.context, draws)
        if network.has_views:  # the finished study is mapped back, and is one block
            rows = iter([view.inverse(torch.cat(list(rows), dim=2))])
        held: list[torch.Tensor] = []
        start = 0
        for logits in rows:
            wanted = len(self.class_names) - self.independent  # the background of independent classes has no logit
            if logits.shape[1] != wanted:
                raise ValueError(
                    f"the sampler has {logits.shape[1]} classes, for the link {self.link.name} the bundle names {wanted}"
                )
            for part in _small_parts(logits):
                inside = None if region is None else region[start : start + part.shape[2]]
                block = Block(start, self.link(part, inside), self.independent)
                start = block.stop
                self._update(block, draws, whole_study=False)
                if any(reducer.whole_study for reducer in self.reducers):
                    held.append(block.values)
        if held:
            self._update(Block(0, torch.cat(held, dim=2), self.independent), draws, whole_study=True)
        return torch.cat(stream.summaries)

    def _update(self, block: Block, draws: Sequence[Draw], whole_study: bool) -> None:
        for reducer in self.reducers:
            if reducer.whole_study == whole_study:
                reducer.update(block, draws, block.values)

    def _chunk(self, size: Sequence[int], draws: int) -> int:
        """Draws that run together: a pure function of the study's shape, the window, and the fixed budget."""
        whole = self.roi_size[0] <= 0 or any(reducer.whole_study for reducer in self.reducers)
        rows = size[0] if whole else self.roi_size[0]
        copies = 3 if any(reducer.whole_study for reducer in self.reducers) else 1 if whole else 2
        bytes_a_draw = copies * 4 * len(self.class_names) * rows * math.prod(size[1:])  # the sum of windows, rows that are final
        return max(1, min(draws, self.budget_mib * 2**20 // bytes_a_draw))

    def _flags(self, study: torch.Tensor) -> list[str]:
        larger = any(window > extent for window, extent in zip(self.roi_size, study.shape[2:], strict=True))
        return ["WINDOW_CLIPPED"] if self.clip_windows and larger else []

    def _grid(self, inputs: torch.Tensor, region: torch.Tensor | None, draws: int) -> StudyGrid:
        affine, meta = _geometry(inputs)
        size = tuple(inputs.shape[2:])
        element = element_of_grid(affine, meta, len(size))
        return StudyGrid(size, len(self.class_names), draws, element, region, inputs.device, self.independent)

    def _sampling(self, network: Sampler, draws: int, chunk: int, inputs: torch.Tensor) -> dict[str, Any]:
        """What `result.json` says of how the draws were made."""
        affine, meta = _geometry(inputs)
        return {
            "sampler": type(network).__name__,
            "source": str(network.source),
            "sampler_settings": network.settings,
            "members": network.members,
            "draws": draws,
            "seed": self.seed,
            "roi_size": list(self.roi_size),
            "overlap": self.overlap,
            "blending": self.blending,
            "clip_windows": self.clip_windows,
            "align": network.align,
            "link": self.link.name,
            "temperature": self.link.temperature,
            "region_channel": self.region_channel,
            "precision": self.precision,
            "engine": self.engine,
            "grid_spacing_mm": spacing_of_grid(affine, meta, inputs.ndim - 2),
            "own_spacing_axes": list(self.own_spacing_axes),
            "device": inputs.device.type,
            "chunk": chunk,
            "budget_mib": self.budget_mib,
        }

    @staticmethod
    def _answer(results: dict[str, Reduction], facts: dict[str, Any]) -> dict[str, Any]:
        maps = {name: tensor for result in results.values() for name, tensor in result.maps.items()}
        facts |= {
            "answers": [entry for result in results.values() for entry in result.answers],
            "lesions": [entry for result in results.values() for entry in result.lesions],
            "study_scores": {name: score for result in results.values() for name, score in result.study_scores.items()},
            "draw_scores": {name: scores for result in results.values() for name, scores in result.draw_scores.items()},
        }
        answer = {"pred": maps.pop("mean")[None]}
        return answer | {name: tensor[None] for name, tensor in maps.items()} | {"result": json.dumps(facts)}


def _small_parts(rows: torch.Tensor) -> Sequence[torch.Tensor]:
    """Rows in parts that fit a processor's cache: link and reducers pass over them many times. Args: rows: (draws, classes, rows,
    *other axes); where there are none, there is no part."""
    if not rows.shape[2]:
        return []
    return rows.split(max(1, _BLOCK_BYTES // (4 * rows[:, :, 0].numel())), dim=2)


def _geometry(inputs: torch.Tensor) -> tuple[torch.Tensor, dict[str, Any]]:
    """Affine and meta of the input; a plain tensor lies on a grid without spacing."""
    return (inputs.affine, inputs.meta) if isinstance(inputs, MetaTensor) else (torch.eye(4), {})


def in_order_of_needs(reducers: Sequence[Reducer]) -> list[Reducer]:
    """Sort reducers so that each comes after those it needs.

    Raises:
        ValueError: a need that is not listed, or a circle.
    """
    ordered: list[Reducer] = []
    waiting = list(reducers)
    while waiting:
        done = {reducer.name for reducer in ordered}
        ready = next((reducer for reducer in waiting if set(reducer.needs) <= done), None)
        if ready is None:
            raise ValueError(f"reducers {[reducer.name for reducer in waiting]} need others that are not listed")
        ordered.append(ready)
        waiting.remove(ready)
    return ordered
