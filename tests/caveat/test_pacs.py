"""`caveat watch` and `caveat send` without an archive: what they ask, what they pass over, what they say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dicom_grid import Grid
from dicom_phantoms import clean_series, write

pytest.importorskip("dicomweb_client", reason="dicomweb-client is not installed; it is part of caveat[test]")

from caveat.cli import main
from caveat.exit_status import RunFailed
from caveat.pacs.access import CREDENTIALS, access
from caveat.pacs.archive import Archive, ArchiveFailed, Arrived, Series
from caveat.pacs.rules import Rule, read_rules
from caveat.pacs.send import objects_of
from caveat.pacs.watch import Watch
from caveat.reasons import StudyRefused
from caveat.transforms.output.study_seal import StudySeal

SECRET = "Kanarienvogel"
RULES = [Rule("MR", "hippocampus_volume", "hippo", smallest=3), Rule("CT", "lung_lesions")]


def series(modality: str = "MR", description: str = "T1 Hippocampus", instances: int = 4, **more: bool) -> Series:
    return Series("1.2", "1.2.3", modality, description, instances, **({"is_ours": False, "is_stable": True} | more))


@dataclass
class Stored(Archive):
    """An archive in memory, whose changes come two at a time."""

    known: dict[str, Series | None]
    changes: list[Arrived]
    fails_at: set[str] = field(default_factory=set)
    sent: list[str] = field(default_factory=list)

    def arrived(self, since: int) -> tuple[list[Arrived], int, bool]:
        later = [one for one in self.changes if one.number > since]
        return later[:2], (later[:2] or self.changes)[-1].number, len(later) <= 2

    def series(self, key: str) -> Series | None:
        return self.known[key]

    def retrieve(self, series: Series, folder: Path) -> None:
        (folder / "1.dcm").write_bytes(b"pixels")

    def store(self, paths: Sequence[Path]) -> int:
        if self.fails_at & {path.parent.parent.name for path in paths}:
            raise ArchiveFailed("the archive cannot be reached")
        self.sent += [path.parent.parent.name for path in paths]
        return len(paths)


def measured(bundle: str, images: Path, folder: Path, options: Sequence[str]) -> int:
    """A sealed run with one object."""
    assert [path.read_bytes() for path in images.iterdir()] == [b"pixels"]
    study = folder / "study-0001"
    study.mkdir(parents=True)
    (study / "measurements.dcm").write_text(bundle)
    StudySeal.of(study, "run", 1, "input").write(study)
    (folder / "run.json").write_text(json.dumps({"sealed": True}), encoding="ascii")
    return 0


def archive(**known: Series | None) -> Stored:
    return Stored(known, [Arrived(10 * place, key) for place, key in enumerate(known, start=1)])


def watched(stored: Stored, output: Path, predict=measured) -> int:
    return Watch(stored, RULES, output, predict=predict).run(lambda: False, 0.1, once=True)


def test_what_fits_a_rule_is_measured_by_its_bundle_and_all_else_is_passed_over(tmp_path):
    stored = archive(
        ours=series(is_ours=True),
        meant=series(),
        moving=series(is_stable=False),
        other=series(description="localizer"),
        few=series(instances=2),
        gone=None,
        chest=series("CT", ""),
        report=series("SR", ""),
    )
    assert watched(stored, tmp_path) == 2
    assert stored.sent == ["00000020", "00000070"]
    assert (tmp_path / "00000070" / "study-0001" / "measurements.dcm").read_text() == "lung_lesions"
    assert json.loads((tmp_path / "watch.json").read_text()) == {"since": 80}
    assert watched(stored, tmp_path) == 0 and len(stored.sent) == 2


def test_what_was_measured_and_not_sent_is_sent_and_not_measured_again(tmp_path):
    stored = archive(one=series(), two=series())
    stored.fails_at = {"00000020"}
    with pytest.raises(ArchiveFailed):
        watched(stored, tmp_path)
    assert stored.sent == ["00000010"]
    stored.fails_at = set()

    def never(*asked: object) -> int:
        raise AssertionError("it stands there already")

    assert watched(stored, tmp_path, never) == 1
    assert stored.sent == ["00000010", "00000020"]


def test_a_measurement_that_comes_to_no_end_ends_the_watch_before_the_series_is_noted(tmp_path):
    with pytest.raises(RunFailed, match="status 1"):
        watched(archive(one=series()), tmp_path, lambda *asked: 1)
    assert not (tmp_path / "watch.json").exists() and not (tmp_path / ".incoming").exists()


def test_a_watch_is_alone_in_its_folder(tmp_path):
    inside: list[str] = []

    def second(*asked: Path) -> int:
        with pytest.raises(StudyRefused) as refusal:
            watched(archive(one=series()), tmp_path)
        inside.append(refusal.value.code)
        return measured(*asked)

    watched(archive(one=series()), tmp_path, second)
    assert inside == ["OUTPUT_OF_ANOTHER_RUN"]


def test_another_archive_is_not_taken_for_the_one_that_was_watched(tmp_path):
    watched(archive(one=series(), two=series()), tmp_path)
    with pytest.raises(RunFailed, match="another one"):
        watched(archive(one=series()), tmp_path)


def test_a_number_that_cannot_be_read_is_not_taken_for_the_beginning(tmp_path):
    (tmp_path / "watch.json").write_text("{")
    with pytest.raises(RunFailed, match=r"watch\.json"):
        watched(archive(one=series()), tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modality: MR", "a list"),
        ("- {modality: MR}", "rule 1 needs"),
        ("- {modality: MR, bundle: hippocampus_volume, descripton: x}", "rule 1 needs"),
        ("- {modality: MR, bundle: hippocampus_volume, description: '('}", "no regular expression"),
        ("- {modality: MR, bundle: hippocampus_volume, smallest: many}", "smallest is a number"),
        ("- {modality: XC, bundle: retinal_vessels}", "does not read DICOM"),
        ("- {modality: MR, bundle: hippocampus}", "hippocampus_volume"),
    ],
)
def test_rules_that_cannot_be_followed_are_refused(text, said, tmp_path):
    (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(StudyRefused) as refusal:
        read_rules(tmp_path / "rules.yaml")
    assert said in str(refusal.value)


def test_credentials_come_from_a_file_or_the_environment_and_leave_this_machine_by_https_alone(tmp_path, monkeypatch):
    file = tmp_path / "secret"
    file.write_text(f"reader:{SECRET}\n")
    assert access("https://pacs.example/dicom-web", file).session.auth == ("reader", SECRET)
    monkeypatch.setenv(CREDENTIALS, f"Bearer {SECRET}")
    assert access("http://127.0.0.1:8042").session.headers["Authorization"] == f"Bearer {SECRET}"
    for url in ("http://pacs.example", f"https://reader:{SECRET}@pacs.example", "ftp://pacs.example", "pacs"):
        with pytest.raises(StudyRefused) as refusal:
            access(url)
        assert refusal.value.code == "WRONG_USAGE" and SECRET not in str(refusal.value)


def test_an_archive_that_does_not_answer_is_said_in_one_line_without_its_address(tmp_path, capfd):
    study = tmp_path / "run" / "study-0001"
    write(clean_series(Grid((4, 4, 1)), "MR"), study)
    StudySeal.of(study, "run", 1, "input").write(study)
    (tmp_path / "run" / "run.json").write_text("{}")
    assert main(["send", str(tmp_path / "run"), "http://127.0.0.1:9/Kanarienvogel"]) == 1
    said = capfd.readouterr().err
    assert "the archive cannot be reached" in said and SECRET not in said and len(said.splitlines()) == 1


def _images(folder: Path) -> Path:
    (folder / "images").mkdir()
    (folder / "images" / "1.dcm").write_bytes(b"pixels")
    return folder / "images"


def test_only_what_was_written_is_sent(tmp_path):
    measured("x", _images(tmp_path), tmp_path / "run", ())
    study = tmp_path / "run" / "study-0001"
    (study / "beside.dcm").write_text("not ours")
    assert objects_of(tmp_path / "run") == [study / "measurements.dcm"]
    (study / "measurements.dcm").write_text("changed")
    with pytest.raises(RunFailed, match="changed"):
        objects_of(tmp_path / "run")
    with pytest.raises(StudyRefused):
        objects_of(tmp_path)
