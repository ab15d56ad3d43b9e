"""Reading a CT series of 300 slices of 512 x 512: ours beside SimpleITK's, in one run.

    PYTHONPATH=tests python benchmarks/dicom_speed.py

Both read the same folder in turn, several times; the best time of each counts, since anything else the machine does only adds.
Beside the time that passes stands the processor's, which other programs on the machine change less.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk
from dicom_grid import Grid
from dicom_phantoms import clean_series, write

from caveat.transforms.dicom.choice import SeriesRule
from caveat.transforms.dicom.volume import read_dicom_study
from caveat.transforms.image.study_image import Stated

GRID = Grid(shape=(512, 512, 300), spacing_mm=(0.7, 0.7, 1.0))
REPEATS = 5
CLOCKS = {"passed": time.perf_counter, "processor": time.process_time}
RESULT = Path(__file__).parent / "results" / "dicom_speed.json"


def main() -> None:
    """Print and store the best time of each and their ratio."""
    with TemporaryDirectory() as folder:
        write(clean_series(GRID), Path(folder))
        best = {clock: dict.fromkeys(("ours", "SimpleITK"), math.inf) for clock in CLOCKS}
        for _ in range(REPEATS):
            times = [now()]
            image, _ = read_dicom_study(sorted(Path(folder).iterdir()), [SeriesRule()], Stated())
            times.append(now())
            reference = by_simpleitk(folder)
            times.append(now())
            for clock in CLOCKS:
                for name, start, end in zip(best[clock], times, times[1:], strict=False):
                    best[clock][name] = round(min(best[clock][name], end[clock] - start[clock]), 3)
        if not np.array_equal(image.voxels[0].T, reference):
            raise RuntimeError("the two readers disagree")
    result = {
        "slices": GRID.shape[2],
        "repeats": REPEATS,
        "best_seconds": best,
        "ratio": {clock: round(found["ours"] / found["SimpleITK"], 3) for clock, found in best.items()},
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


def now() -> dict[str, float]:
    """Seconds by each clock."""
    return {name: clock() for name, clock in CLOCKS.items()}


def by_simpleitk(folder: str) -> np.ndarray:
    """As its examples read a series, to float32 as ours is. Returns: (slices, rows, columns)."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
    reader.SetOutputPixelType(sitk.sitkFloat32)
    return sitk.GetArrayFromImage(reader.Execute())


if __name__ == "__main__":
    main()
