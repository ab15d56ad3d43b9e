"""The DICOM cases through four readers: which are silently wrong, and on what.

    PYTHONPATH=tests python benchmarks/dicom_readers.py     # the table of docs/dicom.md and benchmarks/results/dicom_readers.json

Ours, MONAI's `LoadImage()`, SimpleITK's `ImageSeriesReader` and, where it is installed, dcm2niix (`apt-get install dcm2niix`).
Each reads each folder in a process of its own, with a limit on memory and time.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from dicom_cases import Case, all_cases
from dicom_table import fill
from dicom_verdict import Outcome, judge
from monai.transforms import LoadImage

from caveat.reasons import StudyRefused
from caveat.transforms.study.inspect_study import inspect_study

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "dicom_readers.json"
MEMORY_BYTES = 3 * 2**30
SECONDS = 300

Reader = Callable[[Path], tuple[np.ndarray, np.ndarray]]


def main() -> None:
    """Run every case, store what came of it, fill the table."""
    names = {"ours": ours, "MONAI": by_monai, "SimpleITK": by_simpleitk}
    if shutil.which("dcm2niix"):
        names["dcm2niix"] = by_dcm2niix
    warm_up()
    rows, usual = [], {}
    for case in all_cases():
        with TemporaryDirectory() as folder:
            case.write(Path(folder))
            found = {name: isolated(reader, Path(folder), case) for name, reader in names.items()}
        row = {"number": case.number, "case": case.name, "expected": case.code, "undetectable": case.undetectable}
        for name, (outcome, said) in found.items():
            # Case 0 is the clean one: what a reader says of it is no warning.
            row[name] = {**asdict(outcome), "message": not said <= usual.setdefault(name, said)}
        rows.append(row)
        print(case.number, case.name, {name: f"{row[name]['kind']} {row[name]['detail']}" for name in names}, flush=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    fill(ROOT / "docs" / "dicom.md", rows, list(names))


def warm_up() -> None:
    """MONAI's first reading imports half of ITK, which the forked processes then need not do each."""
    with TemporaryDirectory() as folder:
        all_cases()[0].write(Path(folder))
        by_monai(Path(folder))


def ours(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Every file of the folder, no rule that chooses."""
    image = inspect_study(folder).image
    return image.voxels[0], image.affine


def by_monai(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """As its tutorials do."""
    image = LoadImage()(folder)
    return image.numpy(), image.affine.numpy()


def by_simpleitk(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """As its examples do."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.moveaxis(sitk.GetArrayFromImage(image), 0, 2).swapaxes(0, 1), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def by_dcm2niix(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The largest volume that it writes; where it writes several, it leaves the choice to the user, as we do.

    Raises:
        RuntimeError: exit status other than 0, nothing written, or more than one volume of the same size.
    """
    with TemporaryDirectory() as out:
        done = subprocess.run(["dcm2niix", "-z", "n", "-o", out, folder], capture_output=True, text=True)
        images = [nib.load(path) for path in sorted(Path(out).glob("*.nii"))]
        print(done.stdout, done.stderr, file=sys.stderr)
        sizes = sorted((int(np.prod(image.shape)) for image in images), reverse=True)
        if done.returncode or not images or len(sizes) > 1 and sizes[0] == sizes[1]:
            raise RuntimeError(f"exit status {done.returncode}, {len(images)} volumes")
        largest = max(images, key=lambda image: np.prod(image.shape))
        return np.asarray(largest.dataobj), largest.affine


def isolated(reader: Reader, folder: Path, case: Case) -> tuple[Outcome, frozenset[str]]:
    """One folder in a forked process: what a reader does to memory, time or the error stream stays there.

    Returns:
        what came of it; the lines it wrote to the error stream, without numbers.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    with TemporaryDirectory() as out:
        messages = Path(out) / "messages"
        process = context.Process(target=_read, args=(reader, folder, case, messages, sender))
        process.start()
        sender.close()
        try:
            outcome = receiver.recv() if receiver.poll(SECONDS) else Outcome("refused", "time limit")
        except EOFError:
            outcome = Outcome("refused", "crash")
        process.kill()
        process.join()
        text = messages.read_text(encoding="utf-8", errors="replace").replace(str(folder), "")
        return outcome, frozenset(re.sub(r"[\d.]+|/tmp/\S*", "", one).strip() for one in text.splitlines())


def _read(reader: Reader, folder: Path, case: Case, messages: Path, sender: multiprocessing.connection.Connection) -> None:
    """In the process of its own: everything that would go to the error stream goes into a file."""
    os.dup2(os.open(messages, os.O_CREAT | os.O_WRONLY | os.O_APPEND), 2)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES,) * 2)
    try:
        voxels, affine = reader(folder)
    except StudyRefused as refusal:
        sender.send(Outcome("refused", refusal.code))
    except Exception as error:
        sender.send(Outcome("refused", type(error).__name__))
    else:
        sender.send(judge(case, voxels, affine))


if __name__ == "__main__":
    main()
