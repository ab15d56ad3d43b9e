"""What draws cost: a naive loop and caveat, in turns, one thread, CPU time. Writes the table of benchmarks/README.md.

    python benchmarks/speed.py [--only NAME ...] [--turns N]

Both sides have the same weights, masks and windows, and their answers are compared. Rows are kept in results/speed.json, so that
some may be measured again (`--only`).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import skimage
import torch
from frame import parsed_bundle
from monai.data import decollate_batch, list_data_collate
from naive_loop import naive_answer
from peak_memory import peak
from turns import take_turns

from caveat.bundle_folders import find_bundle
from caveat.inference.evaluation.markdown import markdown_table

HERE = Path(__file__).parent
RESULTS, README = HERE / "results" / "speed.json", HERE / "README.md"
MARKS = ("<!-- speed.py writes from here -->", "<!-- to here -->")
DATA = Path(os.environ.get("CAVEAT_DATA", HERE.parent / "../shared/data"))
PHOTOGRAPH = Path(skimage.__file__).parent / "data" / "retina.jpg"
FIELD = (160, 160, 96)
DRAWS = 16
HEADINGS = ["work", "naive", "caveat", "ratio: median (range)", "goal", "largest difference of a mean probability; of a volume"]


def main() -> None:
    """Measure rows and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--peak-of-field", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    if options.peak_of_field:
        network, inferer, _ = bundle_parts("hippocampus_volume", "dropout")
        inferer(made_up((1, 1, *FIELD)), network)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name in options.only:
        rows[name] = ROWS[name](options.turns)
        print(name, rows[name], flush=True)
        RESULTS.write_text(json.dumps({key: rows[key] for key in ROWS if key in rows}, indent=1) + "\n", encoding="utf-8")
    write_table([rows[key] for key in ROWS if key in rows])


def write_table(rows: list[list[str]]) -> None:
    """Put the table between the marks of the README."""
    before, rest = README.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    README.write_text(f"{before}{MARKS[0]}\n{markdown_table(HEADINGS, rows)}\n{MARKS[1]}{after}", encoding="utf-8")


def bundle_parts(name: str, sampler: str | None) -> tuple[Any, Any, Any]:
    """Network, inferer and config of a bundle; of a sampler without a number of its own, `DRAWS` draws."""
    config = parsed_bundle(find_bundle(name), sampler, {"device": "$torch.device('cpu')"})
    network, inferer = (config.get_parsed_content(part) for part in ("network", "inferer"))
    inferer.draws = 0 if network.capacity else DRAWS
    return network.eval(), inferer, config


def made_up(size: tuple[int, ...]) -> torch.Tensor:
    """A study of noise."""
    return torch.rand(size, generator=torch.Generator().manual_seed(0))


def repeated(study: torch.Tensor) -> torch.Tensor:
    """Laid side by side, cut to the size of the field: of noise a network finds nothing, and no volume could differ."""
    copies = [-(-wanted // size) for wanted, size in zip(FIELD, study.shape[2:], strict=True)]
    x, y, z = FIELD
    return study.repeat(1, 1, *copies)[:, :, :x, :y, :z]


def photograph() -> dict[str, str]:
    """The fundus photograph that scikit-image carries, as an entry of a data list."""
    return {"image": str(PHOTOGRAPH)}


def crop() -> dict[str, str]:
    """The first crop of the hippocampus set."""
    return {"image": str(min((DATA / "hippocampus" / "images").glob("*.nii.gz")))}


def against_naive(
    title: str, goal: str, bundle: str, sampler: str | None, entry: dict[str, str], field: bool = False, **how: str
) -> Callable[[int], list[str]]:
    """A row that compares with the naive loop. Args: entry: the study. field: whether it is repeated to the size of the field,
    once a side. how: ours are computed, such as by another engine; the loop stays torch's in float32."""

    def measure(turns: int) -> list[str]:
        network, inferer, config = bundle_parts(bundle, sampler)
        vars(inferer).update(how)
        study = config.get_parsed_content("preprocessing")(entry)["image"].as_tensor()[None].float()
        study = repeated(study) if field else study
        naive: dict[str, torch.Tensor] = {}
        ours: dict[str, Any] = {}
        timed = take_turns(
            lambda: naive.update(naive_answer(study, inferer, network)),
            lambda: ours.update(inferer(study, network)),
            1 if field else turns,
            warm=not field and turns > 1,
        )
        probability = float((naive["pred"] - ours["pred"][0]).abs().max())
        counted = naive["volumes"][:, json.loads(ours["result"])["answers"][0]["classes"]].sum(dim=1)
        volumes = torch.tensor(json.loads(ours["result"])["answers"][0]["draws"]["values"])
        off = float((volumes - counted).abs().max())
        return [
            title,
            *str(timed).split(" | "),
            goal,
            f"{probability:.0e}; {off:g} of {float(counted.double().mean()):.0f} elements",
        ]

    return measure


def hypotheses_of_a_nodule(turns: int) -> list[str]:
    """Sixteen hypotheses beside one."""
    network, inferer, _ = bundle_parts("lung_lesions", None)
    study = made_up((1, 1, 96, 96, 12))

    def run(draws: int) -> None:
        inferer.draws = draws
        inferer(study, network)

    timed = take_turns(lambda: run(DRAWS), lambda: run(1), turns)
    return ["16 hypotheses of a nodule (first) against 1 (second)", *str(timed).split(" | "), "<= 3.0", ""]


def outside_the_network(title: str, goal: str, bundle: str, entry: Callable[[], dict[str, str]]) -> Callable[[int], list[str]]:
    """A row of what a study costs before and after the inferer: reading, preprocessing, the way back, gate, records, writers."""

    def measure(turns: int) -> list[str]:
        seconds: list[tuple[float, float]] = []
        with tempfile.TemporaryDirectory() as out:
            config = parsed_bundle(find_bundle(bundle), None, {"device": "$torch.device('cpu')", "output_dir": out})
            before, after, network, inferer = (
                config.get_parsed_content(part) for part in ("preprocessing", "postprocessing", "network", "inferer")
            )
            for turn in range(turns + 1):
                start = time.process_time()
                study = list_data_collate([before({**entry(), "name": f"turn {turn}", "number": turn})])
                read = time.process_time()
                answer = inferer(study["image"], network)
                drawn = time.process_time()
                after(decollate_batch({**study, "pred": answer})[0])
                seconds.append((drawn - read, read - start + time.process_time() - drawn))
        network_s, around_s = (sorted(times)[len(times) // 2] for times in zip(*seconds[1:], strict=True))
        return [title, "", f"{around_s:.2f} outside, {network_s:.2f} inside", "", goal, ""]

    return measure


def peak_memory(turns: int) -> list[str]:
    """Peak of 64 draws beside that of 8."""
    peaks = [peak("photograph", draws) for draws in (64, 8)]
    return ["peak MiB, 64 draws (first) against 8 (second)", *map(str, peaks), f"{peaks[0] / peaks[1]:.2f}", "<= 1.10", ""]


def peak_of_ct(turns: int) -> list[str]:
    """Peak of a whole CT, beside what a stack of the probabilities and one of their logits would take."""
    stacks = 2 * 20 * 2 * 512 * 512 * 300 * 4 / 2**20
    return [
        "peak MiB, CT 512x512x300, dropout 20, 2 classes",
        f"{stacks:.0f} (two stacks)",
        str(peak("ct", 20)),
        "",
        "<= 4096",
        "",
    ]


def peak_of_field(turns: int) -> list[str]:
    """Peak of the field with 16 draws."""
    done = subprocess.run([sys.executable, __file__, "--peak-of-field"], capture_output=True, text=True, check=True)
    return ["peak MiB, field, dropout 16, budget 512 MiB", "", done.stdout.strip(), "", "<= 1536", ""]


ROWS: dict[str, Callable[[int], list[str]]] = {
    "field": against_naive("field 160x160x96, dropout 16", ">= 5.0", "hippocampus_volume", "dropout", crop(), field=True),
    "crop_dropout": against_naive("hippocampus crop, dropout 16", ">= 4.5", "hippocampus_volume", "dropout", crop()),
    "crop_ensemble": against_naive("hippocampus crop, ensemble 5", ">= 4.0", "hippocampus_volume", None, crop()),
    "photograph_dropout": against_naive("photograph, dropout 16", ">= 6.0", "retinal_vessels", "dropout", photograph()),
    "photograph_ensemble": against_naive("photograph, ensemble 7", ">= 2.0", "retinal_vessels", None, photograph()),
    "crop_openvino": against_naive(
        "hippocampus crop, ensemble 5, OpenVINO", ">= 5", "hippocampus_volume", None, crop(), engine="openvino"
    ),
    "crop_openvino_bfloat16": against_naive(
        "the same in bfloat16", ">= 7", "hippocampus_volume", None, crop(), engine="openvino", precision="bfloat16"
    ),
    "photograph_openvino": against_naive(
        "photograph, ensemble 7, OpenVINO", "", "retinal_vessels", None, photograph(), engine="openvino"
    ),
    "crop_bfloat16": against_naive(
        "hippocampus crop, dropout 16, bfloat16", ">= 6.5", "hippocampus_volume", "dropout", crop(), precision="bfloat16"
    ),
    "field_bfloat16": against_naive(
        "field 160x160x96, dropout 16, bfloat16",
        ">= 10",
        "hippocampus_volume",
        "dropout",
        crop(),
        field=True,
        precision="bfloat16",
    ),
    "nodule": hypotheses_of_a_nodule,
    "crop_outside": outside_the_network("a study outside the network, crop, s", "<= 0.5", "hippocampus_volume", crop),
    "photograph_outside": outside_the_network("a study outside the network, photograph, s", "", "retinal_vessels", photograph),
    "memory": peak_memory,
    "field_memory": peak_of_field,
    "ct_memory": peak_of_ct,
}

if __name__ == "__main__":
    main()
