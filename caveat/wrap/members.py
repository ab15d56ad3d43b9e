"""The trained networks behind a bundle, and the samplers that can draw from them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..networks.samplers.dropout_network import DropoutNetwork
from ..networks.samplers.first_window import try_first_window
from ..networks.weights.members import joint_sha256
from ..reasons import StudyRefused
from .weights_file import WeightsFile

DRAWS = 16
"""Of samplers without a limit of their own."""
INTENSITY = 0.1
SAMPLERS = "caveat.networks.samplers"
SMALLEST_PROBE = 64
"""Elements of a window's side, where the window is the whole study."""


@dataclass(frozen=True)
class Members:
    """Networks that answer the same windows.

    Args:
        networks: each with its weights. files: of them, in the same order.
        channels: of an image. answers: channels of the networks' answer.
        window: elements of a window per axis of the study, 0 or less for the whole axis.
        multiple: that windows must be of.
        on_slices: whether the networks see slices, of which the last axis of the study counts.
        flip_axes: of the study that augmentation mirrors.
    """

    networks: Sequence[nn.Module]
    files: Sequence[WeightsFile]
    channels: int
    answers: int
    window: Sequence[int]
    multiple: int
    on_slices: bool
    flip_axes: Sequence[int]

    def check(self) -> None:
        """Each network answers a window with the channels that were stated. Raises: StudyRefused: NETWORK_UNFIT, WRONG_USAGE."""
        if len({file.sha256 for file in self.files}) < len(self.files):
            raise StudyRefused("WRONG_USAGE", "one file of weights stands twice: its draws would be the same")
        axes = range(len(self.window))
        if not {*self.flip_axes} <= {*axes}:
            raise StudyRefused("WRONG_USAGE", f"--flips: axes are {', '.join(map(str, axes))}")
        try:
            window = torch.rand(1, self.channels, *self._probe(), generator=torch.Generator().manual_seed(0))
        except RuntimeError as error:
            size = " x ".join(map(str, self._probe()))
            raise StudyRefused("NETWORK_UNFIT", f"network 1: there is no memory for a window of {size}") from error
        for number, network in enumerate(self.networks, start=1):
            try:
                with torch.no_grad():
                    found = try_first_window(network, window).shape[1]
            except ValueError as error:
                raise StudyRefused("NETWORK_UNFIT", f"network {number}: {_first_line(error)}") from error
            except Exception as error:  # code of others: a package that is not there, an input beside the image, and the like
                raise StudyRefused("NETWORK_UNFIT", f"network {number}: {type(error).__name__}: {_first_line(error)}") from error
            if found != self.answers:
                raise StudyRefused("NETWORK_UNFIT", f"network {number} answers with {found} channels, {self.answers} are needed")

    def settings(self) -> dict[str, Any]:
        """Entries of the config: what loads the weights, and the sampler that is the default."""
        hashes = [file.sha256 for file in self.files]
        stated: dict[str, Any] = {"weights_sha256": hashes[0]}
        if len(hashes) > 1:
            stated = {"weights_sha256": "$joint_sha256(@members_sha256)", "members_sha256": hashes}
        imports = [f"$from caveat.networks.weights.members import {name}" for name in ("load_members", "joint_sha256")]
        load = {"network": "$load_members(@network_def, @bundle_root + '/models', @members).to(@device)"}
        return {"+imports": imports} | stated | load | self._torchscript() | self.definitions()[self.default]

    def weights(self) -> dict[str, Path]:
        """Name in `models/` to file, in the members' order."""
        names = ["model"] if len(self.files) == 1 else [f"member_{number}" for number in range(len(self.files))]
        return {f"{name}.pt": file.path for name, file in zip(names, self.files, strict=True)}

    @property
    def sha256(self) -> str:
        """Of all weights."""
        return joint_sha256([file.sha256 for file in self.files])

    @property
    def default(self) -> str:
        """The sampler of inference.yaml."""
        if len(self.networks) > 1:
            return "ensemble"
        return "dropout" if isinstance(self.dropout, list) else "test_time_augmentation"

    def definitions(self) -> dict[str, dict[str, Any]]:
        """Name of each sampler that there is to what a config says of it."""
        every = list(range(len(self.networks)))
        found = {
            "ensemble": self._ensemble(every, 0) if len(every) > 1 else None,
            "dropout": self._dropout_sampler() if isinstance(self.dropout, list) else None,
            "test_time_augmentation": self._augmented(),
            "single": self._ensemble(every[:1], 1),
        }
        return {name: definition for name, definition in found.items() if definition is not None}

    def meanings(self) -> dict[str, str]:
        """Name of each sampler to what it does, for `caveat info`."""
        flips = f"mirrored along axes {', '.join(map(str, self.flip_axes))} and " if self.flip_axes else ""
        layers = len(self.dropout) if isinstance(self.dropout, list) else 0
        said = {
            "ensemble": f"{len(self.networks)} networks, a draw each",
            "dropout": f"dropout in {layers} layers of the first network, one mask a draw ({DRAWS} draws, no limit)",
            "test_time_augmentation": f"the first network, the study {flips}in other contrasts ({DRAWS} draws, no limit)",
            "single": "the first network as it is (1 draw: no spread)",
        }
        return {name: said[name] + (" (default)" if name == self.default else "") for name in self.definitions()}

    @cached_property
    def dropout(self) -> list[str] | str:
        """Names of the first network's dropout layers that can draw, or in words why there are none."""
        try:
            adapter = DropoutNetwork(copy.deepcopy(self.networks[0]), *self._probed())
            if self.on_slices and adapter.align > 1:
                return "it masks elements on a coarser grid than that of slices"
            if any(extent > 0 and extent % adapter.align for extent in self.window):
                return f"its windows would have to be multiples of {adapter.align}"
        except (ValueError, StudyRefused, RuntimeError) as error:
            return str(error)
        return [name for name, module in adapter.network.named_modules() if module in set(adapter.layers)]

    def _ensemble(self, members: Sequence[int], draws: int) -> dict[str, Any]:
        networks = {"networks": [self._seen(number) for number in members]}
        places = [f"networks.{number}" for number in members]
        return self._sampler("ensemble.Ensemble", networks, places, draws)

    def _augmented(self) -> dict[str, Any]:
        about = {"spatial_dims": len(self.window), "flip_axes": list(self.flip_axes), "intensity": INTENSITY}
        augmentation = {"network": self._seen(0), **about}
        return self._sampler("test_time_augmentation.TestTimeAugmentation", augmentation, ["network"], DRAWS)

    def _dropout_sampler(self) -> dict[str, Any]:
        spatial_dims, in_channels, probe_size = self._probed()
        about = {"spatial_dims": spatial_dims, "in_channels": in_channels, "probe_size": probe_size}
        adapter = {"network": self._network(0), **about}
        if not self.on_slices:
            return self._sampler("dropout_network.DropoutNetwork", adapter, ["network"], DRAWS)
        of_slices = {"sampler": {"_target_": f"{SAMPLERS}.dropout_network.DropoutNetwork", **adapter}}
        return self._sampler("slice_by_slice.SliceBySlice", of_slices, ["sampler.network"], DRAWS, inner="")

    def _sampler(
        self, target: str, holds: Mapping[str, Any], places: Sequence[str], draws: int, inner: str = ".network"
    ) -> dict[str, Any]:
        """As a config says it. Args: places: of the networks in it. inner: the place below `OnSlices`."""
        hashes = (
            ["@weights_sha256"] if len(self.files) == 1 else [f"@members_sha256::{number}" for number in range(len(self.files))]
        )
        below = inner if self.on_slices else ""
        loaded = zip(places, self.weights(), hashes, self.files, strict=False)  # a sampler of one network asks for the first file
        members = [
            {"module": f"{place}{below}", "file": name, "sha256": sha256, **file.facts()} for place, name, sha256, file in loaded
        ]
        plain = not self.files[0].torchscript
        definition = {"_target_": f"{SAMPLERS}.{target}", **holds}
        return {"network_def": definition, "members": members if plain else [], "inferer::draws": draws}

    def _network(self, number: int) -> str:
        """How a config names a network: built anew, or TorchScript, which is loaded whole."""
        return f"@torchscript_{number}" if self.files[number].torchscript else "%backbone"

    def _seen(self, number: int) -> Any:
        """A network of as many axes as the study has."""
        reference = self._network(number)
        return {"_target_": f"{SAMPLERS}.slice_by_slice.OnSlices", "network": reference} if self.on_slices else reference

    def _torchscript(self) -> dict[str, Any]:
        """TorchScript files, which are network and weights."""
        target = "caveat.networks.weights.torchscript.load_torchscript"
        return {
            f"torchscript_{number}": {
                "_target_": target,
                "path": f"$@bundle_root + '/models/{name}'",
                "sha256": file.sha256,
                "size_limit": file.size,
            }
            for number, (name, file) in enumerate(zip(self.weights(), self.files, strict=True))
            if file.torchscript
        }

    def _probed(self) -> tuple[int, int, int]:
        window = self._probe()
        return len(window), self.channels, max(window)

    def _probe(self) -> tuple[int, ...]:
        axes = self.window[:-1] if self.on_slices else self.window
        whole = -(-SMALLEST_PROBE // self.multiple) * self.multiple
        return tuple(extent if extent > 0 else whole for extent in axes)


def _first_line(error: Exception) -> str:
    """Of what libraries say at length."""
    return str(error).strip().partition("\n")[0]
