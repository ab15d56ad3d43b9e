"""The part of `caveat calibrate` that makes limits of the kind of image."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..exit_status import ExitStatus
from .output_folder import make_folder

SEEN = ("training", "early_stopping")
"""Parts of a list whose images a network has seen: those that calibrate or test it are not asked."""


def write_kind(options: argparse.Namespace, bundle: Path, output: Path) -> int:
    """Write limits from the stored predictions of the parts that the network has seen, or of the one part that was named.

    Raises:
        StudyRefused: WRONG_USAGE, and as `build_kind_limits`; OUTPUT_NOT_WRITABLE.
    """
    from ..inference.gate.kind_limits import build_kind_limits, read_kind_settings
    from ..inference.stored.list_part import read_entries, results_by_sha256

    settings = read_kind_settings(bundle / "configs" / "kind.yaml")
    entries = [entry for part in ([options.split] if options.split else SEEN) for entry in read_entries(options.data, part)]
    results = results_by_sha256(options.predictions, {entry["sha256"] for entry in entries})
    limits = build_kind_limits([result for _, result in results.values()], settings)
    make_folder(output)
    limits.write(output / limits.file_name)
    for limit in limits.limits:
        print(f"another kind of image: {limit.name} {limit.direction} {limit.threshold:.4g}")
    print(f"limits of {limits.n} of {len(entries)} images; {output / limits.file_name}")
    return ExitStatus.OK
