"""The part of `caveat calibrate` that makes the pooled covariance of ellipses."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .output_folder import make_folder

if TYPE_CHECKING:
    from ..inference.calibration.settings import Calibration


def write_pooled(options: argparse.Namespace, output: Path, settings: Calibration, dataset_dir: Path) -> int:
    """Write the pooled covariance from the stored predictions of the early stopping part, or of the part that was named.

    Raises:
        StudyRefused: WRONG_USAGE, and as `pool_errors`; OUTPUT_NOT_WRITABLE.
    """
    from ..inference.calibration.pooled_covariance import pool_errors
    from ..inference.calibration.record_file import write_record

    if not settings.of_landmarks:
        raise StudyRefused("WRONG_USAGE", "--pooled is for bundles of landmarks")
    split = options.split or "early_stopping"
    pooled = pool_errors(options.predictions, options.data, split, settings, dataset_dir)
    make_folder(output)
    write_record(pooled, output / pooled.file_name)
    print(f"errors of {len(pooled.names)} landmarks in {pooled.n} images; {output / pooled.file_name}")
    return ExitStatus.OK
