"""Does the landmark bundle answer on what is no cephalogram?

    python benchmarks/cephalograms_other_kinds.py write       # the images, below out/cephalograms/other_kinds/images
    python benchmarks/cephalograms_other_kinds.py measure     # predicts them, and prints the table
    python benchmarks/cephalograms_other_kinds.py measure --sampler single

A folder a group: chest radiographs; fundus photographs, in colour and in grey; projections of CT volumes of limbs, joints and
trunk, from the side and from the front, on a canvas of a cephalogram's shape; pictures made by formula. Beside them, for
comparison, cephalograms (part `stress` of the list), and the same upside down and mirrored: a wrong pose, which is no other kind.
The images were not looked at before the limits were made, which need none of them.

Writes below out/, which git ignores. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
from frame import DATA, LISTS, RESULT, ROOT, predict, step_parser
from PIL import Image

from caveat.bundle_folders import find_bundle
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.stored.stored_study import read_results
from caveat.transforms.study.data_list import read_part
from caveat.transforms.study.discover import find_studies

OUT = ROOT / "out" / "cephalograms" / "other_kinds"
LIST = LISTS / "cephalograms.json"
CANVAS = (1200, 968)
"""Rows and columns of a cephalogram of the set."""
SPACING_MM = 0.2
CHEST_RADIOGRAPHS = 40
WATER_PER_MM = 0.02
"""Attenuation of water at about 70 keV."""
BRIGHTEST = 99.5
"""Percentile of a projection that is white."""
Pictures = Iterable[tuple[str, np.ndarray]]


def main() -> None:
    """Run one step."""
    parser = step_parser(__doc__, ("write", "measure"))
    parser.add_argument("--sampler", help="of the bundle (default: its own)")
    options = parser.parse_args()
    if options.step == "write":
        write_all(OUT / "images")
    else:
        measure(OUT / "images", OUT / (options.sampler or "default"), options.sampler)


def write_all(folder: Path) -> None:
    """Every group into a folder of its own; what stood there is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    volumes = sorted(path for path in (DATA / "ct_for_projection").glob("*.nii.gz") if "_body" not in path.name)
    films = [(Path(entry["image"]).stem, grey(DATA / entry["image"])) for entry in read_part(LIST, "stress", ("image",))]
    chests = sorted((DATA / "chest_xray" / "images").glob("*.jpg"))
    fundi = [path for name in ("chase_db1", "hrf") for path in sorted((DATA / name / "images").glob("*.jpg"))]
    copy(folder / "chest radiographs", chests[:: len(chests) // CHEST_RADIOGRAPHS][:CHEST_RADIOGRAPHS])
    copy(folder / "fundus photographs, colour", fundi)
    save(folder / "fundus photographs, grey", ((path.stem, grey(path)) for path in fundi))
    save(folder / "projections of CT, lateral", ((name_of(path), projection(path, 0)) for path in volumes))
    save(folder / "projections of CT, frontal", ((name_of(path), projection(path, 1)) for path in volumes))
    save(folder / "made by formula", made())
    save(folder / "cephalograms", films)
    save(folder / "cephalograms upside down", ((name, film[::-1, ::-1]) for name, film in films))
    save(folder / "cephalograms mirrored", ((name, film[:, ::-1]) for name, film in films))


def copy(folder: Path, paths: Iterable[Path]) -> None:
    """Files as they are."""
    folder.mkdir(parents=True)
    for path in paths:
        shutil.copyfile(path, folder / path.name)


def save(folder: Path, pictures: Pictures) -> None:
    """Pictures as PNG. Args: pictures: name, and (rows, columns) uint8."""
    folder.mkdir(parents=True)
    for name, pixels in pictures:
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{name}.png")


def grey(path: Path) -> np.ndarray:
    """A picture's luminance. Returns: (rows, columns) uint8."""
    return np.asarray(Image.open(path).convert("L"))


def name_of(volume: Path) -> str:
    """A volume's file name without its ending."""
    return volume.name.removesuffix(".nii.gz")


def projection(path: Path, axis: int) -> np.ndarray:
    """A radiograph of a CT volume by parallel rays, the table left out, dense bright, head up.

    Args:
        path: of the volume; its body mask lies beside it.
        axis: 0 from the side, the front to the right, as a cephalogram; 1 from the front, the patient's right to the left.

    Returns:
        `CANVAS` uint8.
    """
    scan = nib.as_closest_canonical(nib.load(path))
    body = nib.as_closest_canonical(nib.load(path.with_name(f"{name_of(path)}_body.nii.gz")))
    attenuation = WATER_PER_MM * (1 + scan.get_fdata(dtype=np.float32) / 1000).clip(min=0) * (np.asarray(body.dataobj) > 0)
    spacing = nib.affines.voxel_sizes(scan.affine)
    depth = attenuation.sum(axis=axis) * spacing[axis]
    film = to_uint8(depth.T[::-1] / np.percentile(depth, BRIGHTEST))
    return on_canvas(film if axis == 0 else film[:, ::-1], spacing[2], spacing[1 - axis])


def on_canvas(pixels: np.ndarray, row_mm: float, column_mm: float) -> np.ndarray:
    """As large as the canvas allows, in its middle, the rest black. Args: pixels: (rows, columns) uint8 of these sizes."""
    size = np.array(pixels.shape) * (row_mm, column_mm)
    rows, columns = np.rint(size * (np.array(CANVAS) / size).min()).astype(int)
    canvas = np.zeros(CANVAS, np.uint8)
    top, left = (CANVAS[0] - rows) // 2, (CANVAS[1] - columns) // 2
    canvas[top : top + rows, left : left + columns] = Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BICUBIC)
    return canvas


def to_uint8(values: np.ndarray) -> np.ndarray:
    """0 to 1 as 0 to 255, what lies beyond clipped."""
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def made() -> Iterator[tuple[str, np.ndarray]]:
    """Pictures that show nothing. Yields: name, and `CANVAS` uint8."""
    random = np.random.default_rng(0)
    down, right = np.mgrid[: CANVAS[0], : CANVAS[1]] / np.array(CANVAS)[:, None, None]
    yield "noise", random.integers(0, 256, CANVAS, dtype=np.uint8)
    blocks = Image.fromarray(np.float32(random.uniform(size=(75, 61))))
    yield "noise, smooth", to_uint8(np.asarray(blocks.resize(CANVAS[::-1], Image.Resampling.BICUBIC)))
    yield "gradient down", to_uint8(down)
    yield "gradient across", to_uint8(right)
    for squares in (4, 12, 40):
        yield f"checkerboard {squares}", to_uint8((np.floor(squares * down) + np.floor(squares * right)) % 2)
    lines = (np.floor(60 * down) % 2) * (random.uniform(size=(60, 80)) < 0.7)[(60 * down).astype(int), (80 * right).astype(int)]
    yield "lines of text", to_uint8(1 - lines)
    inside = (np.abs(down - 0.5) < 0.47) & (np.abs(right - 0.5) < 0.47)
    yield "blank film with a border", to_uint8(0.1 + 0.8 * ~inside + random.normal(0, 0.01, CANVAS))
    yield "exposed film with a border", to_uint8(0.9 - 0.9 * ~inside + random.normal(0, 0.01, CANVAS))
    yield "disc", to_uint8(0.7 * (np.hypot(down - 0.5, right - 0.5) < 0.3))
    yield "stripes", to_uint8(0.5 + 0.5 * np.sin(80 * (down + right)))


def measure(images: Path, predictions: Path, sampler: str | None) -> None:
    """Predict every group, as `caveat predict --spacing 0.2` does, and print the table."""
    bundle = find_bundle("cephalometric_landmarks")
    groups = sorted(folder.name for folder in images.iterdir())
    for group in groups:
        predict(bundle, predictions / group, find_studies(images / group), sampler, [RESULT], spacing=[SPACING_MM])
    print(table(predictions, groups))


def table(predictions: Path, groups: Iterable[str]) -> str:
    """A row a group: images, refused by code, and how many got a number."""
    rows = []
    for group in groups:
        results = read_results(predictions / group).values()
        codes = Counter(result["reasons"][0]["code"] for result in results if result["status"] == "REFUSED")
        refused = ", ".join(f"{count} {code}" for code, count in sorted(codes.items())) or "none"
        rows.append([group, str(len(results)), refused, str(len(results) - codes.total())])
    return markdown_table(["group", "images", "refused", "got a number"], rows)


if __name__ == "__main__":
    main()
