"""What chest_radiograph makes of films that are not as it learnt them, and of what is no chest film.

    python benchmarks/chest_radiograph_other_kinds.py      # some minutes

Films of the test as they are, inverted, upside down, mirrored and turned by a quarter, and pictures of other sets;
by the shipped sampler. The first six films of the test chose the limit's margin, and are left out.
"""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator

import chest_radiograph_predict as chest
import frame
import numpy as np
from frame import DATA, RESULT
from PIL import Image
from pydicom import dcmread

from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stored.stored_study import read_results
from caveat.transforms.study.discover import find_studies

OUT = chest.OUT / "other_kinds"
CHOSE_THE_LIMIT, FILMS = 6, 30
LONGEST = 640
CT = DATA / "lidc_whole" / "LIDC-IDRI-0003_116slices.tar.bz2"
LUNG_WINDOW = (-1000.0, 400.0)
Pictures = Iterator[np.ndarray]
CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as they are": lambda film: film,
    "mirrored": lambda film: film[:, ::-1],
    "inverted": lambda film: 255 - film,
    "upside down": lambda film: film[::-1],
    "turned by a quarter": np.rot90,
}


def main() -> None:
    """Write the pictures, predict them, print the table."""
    films = [film_of(entry["image"]) for entry in read_entries(chest.LIST, "test")[CHOSE_THE_LIMIT : CHOSE_THE_LIMIT + FILMS]]
    kinds: dict[str, Pictures] = {f"test films, {name}": map(change, films) for name, change in CHANGES.items()}
    kinds |= {
        "the film of the set that is upside down": map(
            film_of, (entry["image"] for entry in read_entries(chest.LIST, "upside_down"))
        ),
        "slices of a chest CT, lung window": ct_slices(),
        "lateral skull films": pictures("cephalograms/images", 20),
        "nuclei under the microscope": pictures("nuclei/images", 20),
        "fundus photographs in grey": pictures("chase_db1", 20),
    }
    print(
        markdown_table(
            ["pictures", "n", "refused", "gated: no set", "with a set"], [row_of(name, made) for name, made in kinds.items()]
        )
    )


def film_of(image: str) -> np.ndarray:
    """A film of a list, uint8."""
    with Image.open(DATA / image) as picture:
        return np.asarray(picture.convert("L"))


def pictures(folder: str, count: int) -> Pictures:
    """The first pictures below a folder, in grey."""
    for path in sorted(path for path in (DATA / folder).rglob("*") if path.suffix.lower() in (".jpg", ".png", ".jpeg"))[:count]:
        with Image.open(path) as picture:
            grey = picture.convert("L")
            grey.thumbnail((LONGEST, LONGEST))
            yield np.asarray(grey)


def ct_slices() -> Pictures:
    """Every fourth slice of one patient."""
    with tarfile.open(CT) as archive:
        for member in [one for one in archive.getmembers() if one.name.endswith(".dcm")][::4]:
            file = archive.extractfile(member)
            if file is None:
                continue
            found = dcmread(io.BytesIO(file.read()))
            if found.get("Modality") == "CT":
                values = found.pixel_array * float(found.RescaleSlope) + float(found.RescaleIntercept)
                yield (255 * np.clip((values - LUNG_WINDOW[0]) / (LUNG_WINDOW[1] - LUNG_WINDOW[0]), 0, 1)).astype(np.uint8)


def row_of(name: str, made: Pictures) -> list[str]:
    """Counts of one kind."""
    folder = OUT / name.replace(", ", "_").replace(" ", "_")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(made):
        if not (file := folder / "images" / f"{number:03}.png").is_file():
            Image.fromarray(np.ascontiguousarray(pixels)).save(file)
    frame.predict(chest.BUNDLE, folder / "results", find_studies(folder / "images"), None, (RESULT,), **chest.WITHOUT_MAPS)
    counts = Counter(state_of(result) for result in read_results(folder / "results").values())
    return [name, str(counts.total()), *(str(counts[state]) for state in ("refused", "gated", "set"))]


def state_of(result: dict) -> str:
    """What became of one picture."""
    if result["status"] == "REFUSED":
        return "refused"
    return "gated" if "OUT_OF_RANGE" in result["flags"] else "set"


if __name__ == "__main__":
    main()
