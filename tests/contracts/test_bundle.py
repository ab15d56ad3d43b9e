"""What every bundle folder must keep: MONAI's own checks pass, its files agree, and it runs end to end in both ways."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import monai.bundle
import pytest
from monai.bundle import ConfigParser, ckpt_export, verify_metadata, verify_net_in_out
from phantoms import write_cephalogram, write_fundus, write_head, write_hippocampus_crop, write_lung_crop, write_nuclei
from result_schema import read_valid

from caveat.bundle_folders import ALLOW_LIST, read_metadata, settings_of, shipped_bundles
from caveat.cli import main
from caveat.compose_bundle import check_codes
from caveat.inference.calibration.record import read_records
from caveat.inference.gate.kind_limits import KindLimits

BUNDLES = shipped_bundles()
ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "inference" / "meta_schema_20240725.json"
LARGEST_MODELS = 12 * 2**20
PHANTOMS = {
    "fundus photograph": (write_fundus, "png"),
    "MR": (write_hippocampus_crop, "nii.gz"),
    "FLAIR": (write_head, "nii.gz"),
    "CT": (write_lung_crop, "nii.gz"),
    "cephalogram": (write_cephalogram, "png"),
    "radiograph": (write_cephalogram, "png"),
    "fluorescence": (write_nuclei, "png"),
}
"""What a bundle of a modality can measure, made by formula."""


def config_of(folder: Path, *overlays: str) -> ConfigParser:
    parser = ConfigParser()
    parser.read_config([str(folder / "configs" / f"{name}.yaml") for name in ("inference", *overlays)])
    parser.read_meta(str(folder / "configs" / "metadata.json"))
    parser.update({"bundle_root": str(folder), "device": "$torch.device('cpu')"})
    return parser


def test_every_folder_of_bundles_is_one():
    folders = {path.name for path in (ROOT / "bundles").iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert folders == set(BUNDLES) and folders


@pytest.mark.parametrize("name", BUNDLES)
class TestBundle:
    def test_metadata_follows_the_schema(self, name):
        verify_metadata(meta_file=str(BUNDLES[name] / "configs" / "metadata.json"), filepath=str(SCHEMA))

    def test_the_network_answers_as_the_metadata_says(self, name):
        configs = BUNDLES[name] / "configs"
        verify_net_in_out(
            "network_def",
            meta_file=str(configs / "metadata.json"),
            config_file=str(configs / "inference.yaml"),
            device="cpu",
            n=4,
        )

    def test_the_network_exports_to_torchscript(self, name, tmp_path):
        """As MONAI's users call it: neither traced nor told a size."""
        folder = BUNDLES[name]
        ckpt_export(
            "network_def",
            filepath=str(tmp_path / "model.ts"),
            ckpt_file=str(folder / "models" / "model.pt"),
            meta_file=str(folder / "configs" / "metadata.json"),
            config_file=str(folder / "configs" / "inference.yaml"),
        )
        assert (tmp_path / "model.ts").stat().st_size > 10_000

    def test_weights_are_small_and_have_the_sha256_of_the_config(self, name):
        folder = BUNDLES[name]
        assert sum(path.stat().st_size for path in (folder / "models").iterdir()) <= LARGEST_MODELS
        stated = config_of(folder).get("weights_sha256")
        assert hashlib.sha256((folder / "models" / "model.pt").read_bytes()).hexdigest() == stated
        other = config_of(folder)
        other.update({"weights_sha256": "of other weights"})
        assert other.get_parsed_content("writer::bundle")["weights_sha256"] == "of other weights", "the result names what ran"

    def test_every_sampler_loads(self, name):
        folder = BUNDLES[name]
        for sampler in read_metadata(folder)["samplers"]:
            overlays = [sampler] if (folder / "configs" / f"{sampler}.yaml").is_file() else []
            network = config_of(folder, *overlays).get_parsed_content("network")
            assert sum(p.numel() for p in network.parameters()) > 0

    def test_samplers_without_weights_are_named_as_such(self, name):
        overlays = (BUNDLES[name] / "configs").glob("*.yaml")
        bare = {path.stem for path in overlays if "weights_sha256: ''" in path.read_text(encoding="utf-8")}
        assert bare == set(read_metadata(BUNDLES[name]).get("samplers_not_trained", {}))

    def test_its_page_says_what_a_user_must_know(self, name):
        page = (BUNDLES[name] / "docs" / "README.md").read_text(encoding="utf-8").lower()
        for word in ("licence", "not a medical device", "limits", "caveat predict", "caveat evaluate"):
            assert word in page

    def test_it_says_whose_truth_it_learned_and_its_records_promise_the_same(self, name):
        truth = read_metadata(BUNDLES[name])["truth"]
        place = BUNDLES[name] / "calibration"
        records = read_records(place)
        assert truth.startswith("as ") and {record.truth for record in records} <= {truth}

    def test_what_makes_a_run_another_one_stands_in_its_settings(self, name):
        """Else a run could be resumed with another one's numbers."""
        config = settings_of(BUNDLES[name])
        asked = "spacing point roi label series allow_gaps allow_tilt assume_orientation level guaranteed record keep_draws maps"
        asked += " image dicom labelmap dicom_also threads region_shape refuse_other_kinds"
        assert set(asked.split()) & set(config) <= set(config["settings"])

    def test_what_it_answers_of_dicom_has_codes(self, name):
        check_codes(BUNDLES[name])
        reads = {"dicom", "radiograph"} & set(settings_of(BUNDLES[name])["load"]["kinds"])
        assert ("dicom" in settings_of(BUNDLES[name])) == bool(reads)

    def test_versions_agree(self, name):
        metadata = read_metadata(BUNDLES[name])
        assert metadata["version"] in metadata["changelog"]


def results(folder: Path) -> dict[str, bytes]:
    """Every output but the journal, by its path."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "journal.jsonl"
    }


@pytest.fixture(scope="module", params=BUNDLES)
def bundle(request, tmp_path_factory) -> Path:
    """A bundle's folder; where it knows the kind of its images a copy without those limits, which a phantom is beyond."""
    folder = BUNDLES[request.param]
    if not list((folder / "calibration").glob(KindLimits.pattern)):
        return folder
    left_out = shutil.ignore_patterns(KindLimits.pattern)
    return Path(shutil.copytree(folder, tmp_path_factory.mktemp("bundles") / folder.name, ignore=left_out))


@pytest.fixture(scope="module")
def studies(bundle, tmp_path_factory) -> tuple[Path, str]:
    """A folder with one image that the bundle can measure and a cut one, the extension of the two."""
    write, extension = PHANTOMS[read_metadata(bundle)["network_data_format"]["inputs"]["image"]["modality"]]
    folder = tmp_path_factory.mktemp(bundle.name)
    whole = (tmp_path_factory.mktemp("made") / "one").with_suffix(f".{extension}")
    write(whole, seed=1)
    (folder / whole.name).write_bytes(whole.read_bytes())
    (folder / f"broken.{extension}").write_bytes(whole.read_bytes()[:2000])
    return folder, extension


def predict(bundle: Path, *options: str) -> int:
    """`caveat predict` in this process. Returns: its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ALLOW_LIST, str(bundle.parent))
        return main(["predict", str(bundle), "--device", "cpu", "--workers", "0", *options])


def bundle_run(bundle: Path, images: Path, out: Path) -> None:
    """`python -m monai.bundle run` in this process, with the same settings as `predicted`."""
    config = bundle / "configs" / "inference.yaml"
    given = {"dataset_dir": str(images), "output_dir": str(out), "device": "$torch.device('cpu')"}
    given |= {"keep_draws": True} if "keep_draws" in settings_of(bundle) else {}
    monai.bundle.run(config_file=str(config), bundle_root=str(bundle), **given)


def entries_of(folder: Path) -> list[dict[str, Any]]:
    """What a study's result answers."""
    result = read_valid(folder / "result.json")
    assert result["status"] == "OK"
    return result["answers"]


@pytest.fixture(scope="module")
def predicted(bundle, studies, tmp_path_factory) -> Path:
    """What `caveat predict` writes of the two images, every draw where the bundle can keep them."""
    out = tmp_path_factory.mktemp("predicted") / "out"
    keeps = "keep_draws" in settings_of(bundle)
    assert predict(bundle, "-i", str(studies[0]), "-o", str(out), *(["--keep-draws"] if keeps else [])) == 0
    assert len(list((out / "one").glob("samples.*"))) == int(keeps)
    return out


def test_predict_and_bundle_run_write_the_same_files(bundle, studies, predicted, tmp_path):
    bundle_run(bundle, studies[0], tmp_path / "out")
    assert results(predicted) == results(tmp_path / "out")


def test_what_cannot_be_read_is_refused_in_the_same_form(predicted):
    (broken,) = [folder for folder in predicted.iterdir() if folder.name in ("broken", "study-0001")]  # a packed one is nameless
    assert read_valid(broken / "result.json")["status"] == "REFUSED"


def test_every_number_has_draws_and_a_promise_or_none(bundle, predicted):
    entries = entries_of(predicted / "one")
    parsed = config_of(bundle)
    draws = parsed.get("inferer::draws") or parsed.get_parsed_content("network").capacity
    drawn = [entry for entry in entries if "threshold" not in entry]
    assert drawn and all(entry["draws"]["n"] == draws > 1 for entry in drawn)
    assert all("promised" in entry["statement"] for entry in entries if "threshold" in entry), "what no draw is sure of"
    for entry in drawn:
        if entry.get("outside_image"):
            assert entry["region"] is None and "not a position" in entry["statement"]
        elif entry["value"] is None:
            assert entry["region"] is None and "not a measurement of zero" in entry["statement"]
        else:
            assert (entry["region"] is None) == ("not calibrated" in entry["statement"])


def test_the_seed_decides_what_is_drawn(bundle, studies, tmp_path):
    """That one seed repeats to the byte, draws kept, is said above, and of every sampler in its contract."""
    folder, extension = studies
    common = ("-i", str(folder / f"one.{extension}"), "--sampler", "dropout", "--draws", "2")
    for seed in "45":
        assert predict(bundle, *common, "-o", str(tmp_path / seed), "--seed", seed) == 0
    values = [[entry["draws"]["values"] for entry in entries_of(tmp_path / seed / "one")] for seed in "45"]
    assert values[0] != values[1], "a count alone may be the same"


def test_both_front_ends_run_as_processes(tmp_path):
    """Everything above runs in this process; a user's runs are processes of their own."""
    bundle = BUNDLES["retinal_vessels"]
    (tmp_path / "images").mkdir()
    write_fundus(tmp_path / "images" / "one.png", seed=1)
    config = bundle / "configs" / "inference.yaml"
    commands = (
        (
            "-m",
            "caveat",
            "predict",
            "retinal_vessels",
            "-i",
            str(tmp_path / "images"),
            "-o",
            str(tmp_path / "a"),
            "--device",
            "cpu",
        ),
        (
            *("-m", "monai.bundle", "run", "--config_file", str(config), "--bundle_root", str(bundle)),
            *("--dataset_dir", str(tmp_path / "images"), "--output_dir", str(tmp_path / "b"), "--device", "$torch.device('cpu')"),
        ),
    )
    answers = [subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT) for command in commands]
    assert [answer.returncode for answer in answers] == [0, 0], answers[1].stderr
    assert answers[0].stdout.strip().endswith(f"1 measured, 0 nothing found, 0 refused; {tmp_path / 'a' / 'index.html'}")
    assert "Traceback" not in answers[0].stderr
    assert results(tmp_path / "a") == results(tmp_path / "b")
