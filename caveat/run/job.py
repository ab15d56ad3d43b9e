"""What is run, as it goes to processes and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """A bundle, ready to be loaded; the same for every study.

    Args:
        bundle: its folder.
        configs: inference.yaml and overlays.
        overrides: of the config: numbers, words of our own, and objects into which no parser looks.
        threads: of one study.
        verbose: log what each step does, with tracebacks, on stderr; else nothing of a library reaches it.
    """

    bundle: Path
    configs: tuple[Path, ...]
    overrides: Mapping[str, Any]
    threads: int = 1
    verbose: bool = False

    def on(self, device: str) -> Job:
        """The same on another device. Args: device: "auto", "cpu", "cuda", "cuda:N"; nothing else may enter the config."""
        return self if device == "auto" else replace(self, overrides={**self.overrides, "device": f"$torch.device('{device}')"})
