"""`caveat score`: how likely an outline is under a bundle's model, and where it stands among the model's own."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ..bundle_folders import choose_configs, find_bundle
from ..devices import check_device
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from ..transforms.files.whole_file import write_text
from .numbers import numbers
from .region_options import add_region_options, check_region, region_overrides
from .stated_path import stated_input, stated_path


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "score", help="how likely an outline of a lesion is under the model, beside the model's own draws"
    )
    parser.add_argument(
        "bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder; its draws are a latent's"
    )
    parser.add_argument(
        "-i", "--input", type=stated_input, required=True, metavar="IMAGE", help="the image, or the folder of one DICOM study"
    )
    parser.add_argument(
        "--mask", type=stated_input, required=True, metavar="MASK", help="the outline: 1 inside, 0 outside, on the image's grid"
    )
    parser.add_argument(
        "-o", "--output", type=stated_path, metavar="FILE", help="write everything as JSON (default: print alone)"
    )
    parser.add_argument("--sampler", metavar="NAME", help="one with a latent (default: the bundle's own; see caveat info BUNDLE)")
    parser.add_argument(
        "--samples", type=int, default=64, metavar="N", help="latents that the likelihood is averaged over (default: 64)"
    )
    parser.add_argument("--draws", type=int, default=19, metavar="N", help="draws that the outline is ranked among (default: 19)")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of both (default: 0)")
    parser.add_argument("--spacing", metavar="MM,...", help="for images that carry none")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto takes CUDA where there is one (default)"
    )
    add_region_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Score, print two lines, write the file that was asked for."""
    bundle = find_bundle(options.bundle)
    if options.samples < 1 or options.draws < 1:
        raise StudyRefused("WRONG_USAGE", "--samples and --draws must be at least 1")
    if not options.mask.is_file():
        raise StudyRefused("WRONG_USAGE", "--mask names no file")
    if options.output is not None and os.path.lexists(options.output):
        raise StudyRefused("OUTPUT_OCCUPIED", "the file to write is there already, and may be the image")
    numbers("--spacing", options.spacing, float)
    check_region(options, bundle)
    configs = choose_configs(bundle, options.sampler)
    check_device(options.device)
    from ..run_bundle import quieten_libraries
    from ..score_outline import score_outline
    from ..transforms.study.discover import find_studies

    quieten_libraries()
    studies = find_studies(options.input)
    if len(studies) != 1:
        raise StudyRefused("WRONG_USAGE", f"an outline belongs to one image, here are {len(studies)}")
    found = score_outline(bundle, configs, overrides(options), studies[0]["image"], options.mask, options.samples, options.draws)
    if options.output is not None:
        write(found, options.output)
    print("\n".join(lines(found)))
    return ExitStatus.OK


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What the options change in the bundle's config; what was not said is not changed."""
    said = {
        "inferer::seed": options.seed,
        "spacing": numbers("--spacing", options.spacing, float),
        "device": None if options.device == "auto" else f"$torch.device('{options.device}')",
    }
    return region_overrides(options) | {key: value for key, value in said.items() if value is not None}


def lines(found: dict[str, Any]) -> list[str]:
    """What a person reads."""
    rank, effective = found["rank"], found["effective_samples"]
    weak = "; one of them decides, so the truth may be several nats higher" if effective < 2 else ""
    shown = [
        f"log-likelihood {found['log_likelihood']:.1f} nats ({found['samples']} samples, {effective:.1f} effective{weak})",
        f"likelier than {rank['less_likely_draws']:g} of the model's own {rank['draws']} draws, which lack the jitter of a hand: "
        "compare raters with each other",
    ]
    return shown + ([f"flags: {', '.join(found['flags'])}"] if found["flags"] else [])


def write(found: dict[str, Any], path: Path) -> None:
    """As JSON. Raises: StudyRefused: OUTPUT_NOT_WRITABLE."""
    try:
        write_text(path, json.dumps(found, indent=1) + "\n")
    except OSError as error:
        raise StudyRefused("OUTPUT_NOT_WRITABLE") from error
