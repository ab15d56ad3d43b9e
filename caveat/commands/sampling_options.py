"""How draws are made: the options of every command that runs a bundle."""

from __future__ import annotations

import argparse
import re
from importlib.util import find_spec
from typing import Any

from ..devices import devices_of
from ..reasons import StudyRefused
from .numbers import numbers


def add_sampling_options(parser: argparse.ArgumentParser) -> None:
    """Add them; what is not stated stays as the bundle has it."""
    parser.add_argument(
        "--sampler", metavar="NAME", help="what makes the draws (default: the bundle's own; see caveat info BUNDLE)"
    )
    parser.add_argument("--draws", type=int, metavar="N", help="number of draws (default: the bundle's)")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the draws (default: 0)")
    parser.add_argument(
        "--overlap", type=float, metavar="F", help="share of a window that the next repeats (default: the bundle's)"
    )
    parser.add_argument("--roi-size", metavar="Y,X or Z,Y,X", help="window in network grid elements (default: the bundle's)")
    parser.add_argument(
        "--device",
        default="auto",
        metavar="auto|cpu|cuda|cuda:N,...",
        help="auto takes CUDA where there is one (default); several are shared out among workers",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="of the convolutions; auto is what the bundle's records were made with (default), and they hold for no other",
    )
    parser.add_argument(
        "--engine",
        choices=("torch", "openvino"),
        default="torch",
        help="what computes members of an ensemble and encoders: openvino, on the processor, equal to 1e-6, a little "
        "faster in float32, half as fast again in bfloat16 (benchmarks/README.md); needs caveat[openvino] (default: torch)",
    )


def check_sampling(options: argparse.Namespace, metadata: dict[str, Any]) -> None:
    """What can be said to be wrong before any library is loaded. Raises: StudyRefused: WRONG_USAGE."""
    on_processor = devices_of(options.device)[0] in ("auto", "cpu")
    if options.engine == "openvino" and (not on_processor or find_spec("openvino") is None):
        raise StudyRefused("WRONG_USAGE", "--engine openvino needs --device cpu, and pip install 'caveat[openvino]'")
    if options.overlap is not None and not 0 <= options.overlap < 1:
        raise StudyRefused("WRONG_USAGE", f"--overlap must be at least 0 and below 1, got {options.overlap:g}")
    if options.draws is not None and options.draws < 1:
        raise StudyRefused("WRONG_USAGE", f"--draws must be at least 1, got {options.draws}")
    window = numbers("--roi-size", options.roi_size, int)
    if window is not None:
        check_window(window, metadata)


def check_window(roi_size: list[int], metadata: dict[str, Any]) -> None:
    """A window must have the network's number of axes and be a multiple of its stride, which the metadata writes as "8*n".

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    shape = metadata["network_data_format"]["inputs"]["image"]["spatial_shape"]
    strides = [int(re.sub(r"\D.*", "", str(axis)) or 1) for axis in shape]
    if len(roi_size) != len(strides) or any(size % stride for size, stride in zip(roi_size, strides)):
        raise StudyRefused("WRONG_USAGE", f"--roi-size needs {len(strides)} numbers, multiples of {','.join(map(str, strides))}")


def sampling_overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What the options change in the bundle's config, the sampler aside; what was not said is not changed."""
    device = "cpu" if options.engine == "openvino" else devices_of(options.device)[0]
    said = {
        "inferer::draws": options.draws,
        "inferer::seed": options.seed,
        "inferer::overlap": options.overlap,
        "inferer::roi_size": numbers("--roi-size", options.roi_size, int),
        "inferer::precision": None if options.precision == "auto" else options.precision,
        "inferer::engine": None if options.engine == "torch" else options.engine,
        "device": None if device == "auto" else f"$torch.device('{device}')",
    }
    return {key: value for key, value in said.items() if value is not None}
