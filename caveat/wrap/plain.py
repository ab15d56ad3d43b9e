"""A network of one's own: a factory and its weights, or TorchScript, and in words how images come to it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from ..reasons import StudyRefused
from .intensities import intensity_transform
from .members import Members
from .preprocessing import COLUMNS_FIRST
from .task import Task
from .weights_file import WeightsFile
from .wrapped import Wrapped, refuse_program


@dataclass(frozen=True)
class Plain:
    """What is known of such a network.

    Args:
        task: what it measures, see `Task`.
        factory: "module:factory", None for TorchScript. arguments: that it takes, by name.
        weights: files of one network each.
        window: elements per axis; 0 or less for the whole axis.
        multiple: that windows must be of.
        spacing: mm, of the network's grid; None for the image's own.
        orientation: of its axes, such as "RAS".
        intensities: how they are prepared, see `intensity_transform`.
        flip_axes: that augmentation mirrors.
        columns_first: whether the network sees pictures as (columns, rows), as MONAI reads them.
    """

    task: Task
    factory: str | None
    weights: Sequence[Path]
    window: Sequence[int]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    multiple: int = 1
    spacing: Sequence[float] | None = None
    orientation: str = "RAS"
    intensities: str = "none"
    flip_axes: Sequence[int] = ()
    columns_first: bool = False

    def wrap(self) -> Wrapped:
        """Build and try the network, and say what the bundle will be.

        Raises:
            StudyRefused: NETWORK_NOT_BUILT, NETWORK_UNFIT, WEIGHTS_REFUSED, WEIGHTS_NOT_FINITE, WRONG_USAGE.
        """
        refuse_program(dict(self.arguments), "--arguments")
        files = [WeightsFile.of(path) for path in self.weights]
        if any(file.torchscript == (self.factory is not None) for file in files):
            raise StudyRefused("WRONG_USAGE", "a state dict needs --network, and TorchScript is a network already")
        members = Members(
            networks=[file.load(None if file.torchscript else self._build()) for file in files],
            files=files,
            channels=self.task.channels,
            answers=self.task.answers,
            window=self.window,
            multiple=self.multiple,
            on_slices=len(self.window) == 3 and self.window[-1] == 1,
            flip_axes=self.flip_axes,
        )
        members.check()
        return self.task.wrapped(members, self._settings(), self._taken(members))

    def _settings(self) -> dict[str, Any]:
        keys = ["image", "label"]
        steps: list[Any] = ["@load", "@as_loaded"]
        if self.task.volumes:
            steps += ["@orient", "@crop"]
        elif self.columns_first:
            steps.append(COLUMNS_FIRST)
        if self.spacing is not None:
            spacing = {"_target_": "Spacingd", "keys": keys, "pixdim": list(self.spacing), "mode": ["bilinear", "nearest"]}
            steps.append(spacing | {"allow_missing_keys": True})
        steps += intensity_transform(self.intensities)
        if self.multiple > 1:
            pad = {"_target_": "DivisiblePadd", "keys": keys, "k": self._multiples(), "mode": "constant"}
            steps.append(pad | {"allow_missing_keys": True})
        backbone = {"backbone": {"_target_": self._path(), **self.arguments}} if self.factory else {}
        orient = {"orient::axcodes": self.orientation} if self.task.volumes else {}
        return {
            **backbone,
            **orient,
            "preprocessing::transforms": steps,
            "+inferer": {"roi_size": list(self.window), "link": self.task.link},
        }

    def _multiples(self) -> list[int]:
        """Along slices there is nothing to fill up."""
        return [1 if extent == 1 else self.multiple for extent in self.window]

    def _path(self) -> str:
        return str(self.factory).replace(":", ".")

    def _build(self) -> nn.Module:
        """Raises: StudyRefused: NETWORK_NOT_BUILT."""
        module, _, name = str(self.factory).partition(":")
        try:
            factory: Callable[..., Any] = importlib.import_module(module)  # type: ignore[assignment]  # a module, then what it holds
            for part in name.split("."):
                factory = getattr(factory, part)
            network = factory(**self.arguments)
        except Exception as error:  # the user's own code: whatever it raises is for him to see
            raise StudyRefused("NETWORK_NOT_BUILT", f"{type(error).__name__}: {error}") from error
        if not isinstance(network, nn.Module):
            raise StudyRefused("NETWORK_NOT_BUILT", f"the factory makes a {type(network).__name__}, no torch.nn.Module")
        return network

    def _taken(self, members: Members) -> list[tuple[str, str]]:
        grid = "the image's own" if self.spacing is None else f"{', '.join(f'{mm:g}' for mm in self.spacing)} mm"
        axes = f"axes {self.orientation}" if self.task.volumes else f"{'columns' if self.columns_first else 'rows'} first"
        return [
            ("network", f"`{self.factory}` with {dict(self.arguments) or 'no arguments'}" if self.factory else "TorchScript"),
            ("weights", ", ".join(f"sha256 {file.sha256[:12]}..., {file.size} bytes" for file in members.files)),
            ("grid", f"{grid}, {axes}, as stated"),
            ("intensities", f"{self.intensities}, as stated"),
            ("window", f"{list(self.window)}, blended with Gaussian weights, link {self.task.link}"),
        ]
