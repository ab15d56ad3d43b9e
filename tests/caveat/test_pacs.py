"""`caveat watch` and `caveat send` without an archive: what they ask, what they pass over, what they say."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from dicom_grid import Grid
from dicom_phantoms import clean_series, write
from pydicom.uid import EncapsulatedPDFStorage

pytest.importorskip("dicomweb_client", reason="dicomweb-client is not installed; it is part of caveat[test]")

from caveat.cli import main
from caveat.exit_status import RunFailed
from caveat.pacs.access import CREDENTIALS, access
from caveat.pacs.archive import Archive, ArchiveFailed, Arrived, Series, SeriesIncomplete, SeriesRefused
from caveat.pacs.rules import Rule, read_rules
from caveat.pacs.send import objects_of
from caveat.pacs.watch import Watch
from caveat.reasons import StudyRefused
from caveat.transforms.objects.about import MANUFACTURER
from caveat.transforms.objects.identifiers import made_of
from caveat.transforms.output.run_folder import run_identity
from caveat.transforms.output.study_seal import NAME as SEAL
from caveat.transforms.output.study_seal import StudySeal, file_sha256

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

    def change(self, number: int) -> str | None:
        return next((one.key for one in self.changes if one.number == number), None)

    def series(self, key: str) -> Series | None:
        return self.known[key]

    def retrieve(self, series: Series, folder: Path) -> None:
        (folder / "1.dcm").write_bytes(b"pixels")

    def store(self, paths: Sequence[Path]) -> int:
        changes = [path.parent.parent.name.split("-")[0] for path in paths]
        if self.fails_at & {*changes}:
            raise ArchiveFailed("the archive cannot be reached")
        self.sent += changes
        return len(paths)


def measured(bundle: str, images: Path, folder: Path, options: Sequence[str]) -> str:
    """A sealed run with one object."""
    assert [path.read_bytes() for path in images.iterdir()] == [b"pixels"]
    study = folder / "study-0001"
    study.mkdir(parents=True)
    (study / "measurements.dcm").write_text(bundle)
    StudySeal.of(study, run_identity({}), 1, "input").write(study)
    (folder / "run.json").write_text(
        json.dumps({"sealed": True, "studies": [{"number": 1, "name": study.name}]}), encoding="ascii"
    )
    return ""


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
    (chest,) = tmp_path.glob("00000070-*/study-0001/measurements.dcm")
    assert chest.read_text() == "lung_lesions"
    assert json.loads((tmp_path / "watch.json").read_text()) == {"since": 80, "change": "report", "waiting": {"moving": 30}}
    assert watched(stored, tmp_path) == 0 and len(stored.sent) == 2


@pytest.mark.parametrize(
    ("identifier", "manufacturer", "ours"),
    [
        (made_of("series", "digest"), MANUFACTURER, True),
        (made_of("series", "digest"), "SIEMENS", False),
        ("1.3.12.2.1107.5.2", MANUFACTURER, False),
        ("2.25.148323679367508194839561032380141102335", MANUFACTURER, False),  # of a random UUID
        ("2.25.x", MANUFACTURER, False),
        (f"2.25.{2**128}", MANUFACTURER, False),
    ],
)
def test_our_own_series_are_known_by_their_identifiers_too(identifier, manufacturer, ours, monkeypatch):
    """Whoever wrote the manufacturer into a scan kept it from being measured."""
    tags = {"SeriesInstanceUID": identifier, "Modality": "MR", "Manufacturer": manufacturer}
    answers = {"/series/key": {"ParentStudy": "s", "MainDicomTags": tags, "Instances": [1]}}
    answers["/studies/s"] = {"MainDicomTags": {"StudyInstanceUID": "1.2"}}
    monkeypatch.setattr(Archive, "_json", lambda self, path, missing=None: answers[path])
    found = Archive(access("http://127.0.0.1:1")).series("key")
    assert found is not None and found.is_ours == ours


def test_what_was_measured_and_not_sent_is_sent_and_not_measured_again(tmp_path):
    stored = archive(one=series(), two=series())
    stored.fails_at = {"00000020"}
    with pytest.raises(ArchiveFailed):
        watched(stored, tmp_path)
    assert stored.sent == ["00000010"]
    stored.fails_at = set()

    def never(*asked: object) -> str:
        raise AssertionError("it stands there already")

    assert watched(stored, tmp_path, never) == 1
    assert stored.sent == ["00000010", "00000020"]


@pytest.mark.parametrize("changed", [{"rules": [Rule("MR", "tumour_volume")]}, {"options": ["--level", "0.8"]}])
def test_what_rules_of_before_measured_is_not_sent_as_what_the_rules_say_now(changed, tmp_path):
    stored = archive(one=series())
    stored.fails_at = {"00000010"}
    watch = Watch(stored, RULES, tmp_path, predict=measured)
    with pytest.raises(ArchiveFailed):
        watch.run(lambda: False, 0.1, once=True)
    stored.fails_at, asked = set(), []

    def predict(bundle: str, images: Path, folder: Path, options: Sequence[str]) -> str:
        asked.append((bundle, *options))
        return measured(bundle, images, folder, options)

    assert replace(watch, predict=predict, **changed).run(lambda: False, 0.1, once=True) == 1
    assert asked == [("tumour_volume",) if "rules" in changed else ("hippocampus_volume", "--level", "0.8")]
    line = (tmp_path / "journal.jsonl").read_text().splitlines()[-1]
    assert json.loads(line)["bundle"] == asked[0][0]


@pytest.mark.parametrize("code", ["UNEXPECTED_ERROR", "OUTPUT_NOT_WRITABLE"])
def test_a_measurement_that_comes_to_no_end_ends_the_watch_before_the_series_is_noted(code, tmp_path):
    with pytest.raises(RunFailed, match=code):
        watched(archive(one=series()), tmp_path, lambda *asked: code)
    assert {path.name for path in tmp_path.iterdir()} == {"journal.jsonl"}


def failing(*modalities: str, code: str = "UNEXPECTED_ERROR"):
    """`predict` that fails with series of some modalities."""
    bundles = [rule.bundle for rule in RULES if rule.modality in modalities]

    def predict(bundle: str, images: Path, folder: Path, options: Sequence[str]) -> str:
        return code if bundle in bundles else measured(bundle, images, folder, options)

    return predict


def lines(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / "journal.jsonl").read_text().splitlines()]


def test_a_series_on_which_predict_fails_is_given_up_where_a_later_one_is_measured(tmp_path):
    """Every start ended at it, and nothing that came later was ever measured."""
    stored = archive(first=series(), bad=series("CT"), other=series("SR"), whole=series(), last=series())
    with pytest.raises(RunFailed, match="1 series given up, .* 3 measured"):
        watched(stored, tmp_path, failing("CT"))
    assert stored.sent == ["00000010", "00000040", "00000050"]
    assert [line["change"] for line in lines(tmp_path)] == [10, 40, 20, 50]
    assert "UNEXPECTED_ERROR" in lines(tmp_path)[2]["given_up"]
    assert json.loads((tmp_path / "watch.json").read_text())["since"] == 50


@pytest.mark.parametrize("known", [{"bad": "CT"}, {"a": "CT", "b": "CT", "c": "CT", "whole": "MR"}])
def test_where_none_or_several_fail_one_after_the_other_nothing_is_given_up(known, tmp_path):
    """It may be the machine, and all of them would be lost."""
    stored = archive(first=series(), **{name: series(modality) for name, modality in known.items()})
    with pytest.raises(RunFailed, match="UNEXPECTED_ERROR"):
        watched(stored, tmp_path, failing("CT"))
    assert stored.sent == ["00000010"] and json.loads((tmp_path / "watch.json").read_text())["since"] == 10
    assert not any("given_up" in line for line in lines(tmp_path))
    assert watched(stored, tmp_path) == len(known), "mended, nothing was passed over"


def test_a_full_disk_ends_the_watch_whatever_could_be_measured_later(tmp_path):
    stored = archive(bad=series("CT"), whole=series())
    with pytest.raises(RunFailed, match="OUTPUT_NOT_WRITABLE"):
        watched(stored, tmp_path, failing("CT", code="OUTPUT_NOT_WRITABLE"))
    assert stored.sent == [] and not (tmp_path / "watch.json").exists()


@dataclass
class OfDocuments(Stored):
    """One whose series hold encapsulated documents, but for the last."""

    def retrieve(self, series: Series, folder: Path) -> None:
        if series.modality == "MR":
            super().retrieve(series, folder)
            return
        document = clean_series()[0]
        document.SOPClassUID = EncapsulatedPDFStorage
        for element in ("PixelData", "Rows", "Columns"):
            delattr(document, element)
        write([document], folder)


def test_a_series_without_an_image_does_not_keep_the_later_ones(tmp_path, capfd):
    """Raw data and documents stand under CT and MR too: every start ended at the first of them."""

    def finds(bundle: str, images: Path, folder: Path, options: Sequence[str]) -> str:
        return measured(bundle, images, folder, options) if bundle == "hippocampus_volume" else 2

    stored = archive(document=series("CT"), whole=series())
    documents = OfDocuments(stored.known, stored.changes)
    assert watched(documents, tmp_path, finds) == 1 and documents.sent == ["00000020"]
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [line["change"] for line in lines] == [10, 20] and lines[0]["passed_over"] == "NO_INPUT_FOUND"
    assert "series 10: passed over" in capfd.readouterr().err
    assert not list(tmp_path.glob(".*.partial"))


def test_a_watch_is_alone_in_its_folder(tmp_path):
    inside: list[str] = []

    def second(*asked: Path) -> str:
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
    longer = archive(a=series(), b=series(), c=series())  # its first two would be passed over in silence
    with pytest.raises(RunFailed, match="another one"):
        watched(longer, tmp_path)
    assert longer.sent == []


def test_a_watch_goes_on_where_its_last_series_was_deleted_or_an_earlier_version_noted_the_number_alone(tmp_path):
    stored = archive(one=series(), two=series(), three=series())
    last = stored.changes.pop()
    assert watched(stored, tmp_path) == 2
    stored.changes[-1:] = [last]  # the second one is deleted, and its changes with it
    assert watched(stored, tmp_path) == 1 and stored.sent == ["00000010", "00000020", "00000030"]
    (tmp_path / "watch.json").write_text('{"since": 10}')
    assert watched(stored, tmp_path) == 1


def test_a_change_is_told_by_what_it_is_of_and_when(tmp_path):
    def found(number: int, **seen: str) -> str | None:
        change = {"ID": "x", "Seq": 7, "ChangeType": "StableSeries", "Date": "20260101T000000"} | seen
        with answering(200, json.dumps({"Changes": [change], "Last": 7, "Done": True}).encode()) as (url, asked):
            answer = Archive(access(url)).change(number)
        assert asked == [f"/changes?since={number - 1}&limit=1"]
        return answer

    assert found(7) == found(7) and found(6) is None
    assert len({found(7), found(7, ID="y"), found(7, Date="20260102T000000")}) == 3


def test_results_of_another_archive_are_not_sent(tmp_path):
    """Each counts its changes from 1, so only the series tells what a folder holds where watch.json is gone."""
    watched(archive(one=series()), tmp_path)
    (tmp_path / "watch.json").unlink()
    asked: list[Path] = []

    def predict(bundle: str, images: Path, folder: Path, options: Sequence[str]) -> str:
        asked.append(folder)
        return measured(bundle, images, folder, options)

    assert watched(archive(one=replace(series(), series="1.2.4")), tmp_path, predict) == 1 and len(asked) == 1


def test_only_images_that_a_watch_fetched_are_deleted(tmp_path):
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "1.dcm").write_text("of another program")
    (tmp_path / ".0123456789abcdef.incoming.partial").mkdir()  # of a watch that was killed
    watched(archive(one=series()), tmp_path)
    assert (tmp_path / ".incoming" / "1.dcm").is_file() and not list(tmp_path.glob("*.partial"))


def test_a_watch_does_not_write_into_a_run(tmp_path):
    measured("x", _images(tmp_path), tmp_path / "run", ())
    with pytest.raises(StudyRefused, match="OUTPUT_OF_ANOTHER_RUN"):
        watched(archive(one=series()), tmp_path / "run")
    assert not (tmp_path / "run" / "journal.jsonl").exists()


@pytest.mark.parametrize("content", ["ten years of notes\n", '{"study": 1}\n', "[1]\n", "\0"])
def test_a_journal_of_somebody_else_gets_no_line(content, tmp_path):
    (tmp_path / "journal.jsonl").write_text(content)
    with pytest.raises(StudyRefused, match="OUTPUT_OCCUPIED"):
        watched(archive(one=series()), tmp_path)
    assert (tmp_path / "journal.jsonl").read_text() == content and len(list(tmp_path.iterdir())) == 1


@dataclass
class Torn(Stored):
    """One that never sends the series of a modality whole."""

    torn: str = ""
    tries: int = 0

    def retrieve(self, series: Series, folder: Path) -> None:
        if series.modality == self.torn:
            self.tries += 1
            raise SeriesIncomplete("the archive sent 3 of 4 objects of a series")
        super().retrieve(series, folder)


def test_a_series_that_the_archive_never_sends_whole_does_not_keep_the_later_ones(tmp_path):
    stored = archive(torn=series("CT"), whole=series())
    torn = Torn(stored.known, stored.changes, torn="CT")
    with pytest.raises(RunFailed, match="1 series given up, .* 1 measured"):
        watched(torn, tmp_path)
    assert torn.sent == ["00000020"] and torn.tries == 3
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [line["change"] for line in lines] == [10, 20] and "3 of 4" in lines[0]["given_up"]
    assert watched(torn, tmp_path) == 0 and torn.tries == 3
    torn.changes, torn.torn = [*torn.changes, Arrived(30, "torn")], ""  # more of it has come
    assert watched(torn, tmp_path) == 1 and torn.sent[-1] == "00000030"


def test_a_series_of_which_no_change_says_that_it_rests_is_measured(tmp_path):
    """An Orthanc that ends before says so never: the series was passed over without a word."""
    stored = archive(other=series(), begun=series(is_stable=False))
    stored.changes[1] = Arrived(20, "begun", rests=False)
    assert watched(stored, tmp_path) == 1 and stored.sent == ["00000010"]
    stored.known["begun"] = series()
    assert watched(stored, tmp_path) == 1 and stored.sent == ["00000010", "00000020"]
    assert watched(stored, tmp_path) == 0
    stored.changes.append(Arrived(30, "begun"))  # more of it comes, and it rests, as is said
    stored.known["begun"] = series(is_stable=False)  # but again more has come by then
    assert watched(stored, tmp_path) == 0
    stored.known["begun"] = series(instances=5)
    assert watched(stored, tmp_path) == 1 and stored.sent[2:] == ["00000030"]
    assert json.loads((tmp_path / "watch.json").read_text())["waiting"] == {}


def test_a_series_that_rests_as_it_is_said_to_is_measured_once(tmp_path):
    stored = archive(one=series(is_stable=False), two=series())
    stored.changes = [Arrived(10, "one", rests=False), Arrived(20, "two", rests=False), Arrived(30, "two")]
    assert watched(stored, tmp_path) == 1 and stored.sent == ["00000030"]
    stored.known["one"] = series()
    stored.changes.append(Arrived(40, "one"))
    assert watched(stored, tmp_path) == 1 and stored.sent == ["00000030", "00000040"]
    stored.changes.append(Arrived(50, "gone", rests=False))
    stored.known["gone"] = None
    assert watched(stored, tmp_path) == 0
    assert json.loads((tmp_path / "watch.json").read_text()) == {"since": 50, "change": "gone", "waiting": {}}


@dataclass
class Lacking(Stored):
    """One that cannot send a series of a modality, as long as `lacks` says so."""

    lacks: str = "CT"

    def retrieve(self, series: Series, folder: Path) -> None:
        if series.modality == self.lacks:
            raise SeriesRefused("the archive answered with status 404")
        super().retrieve(series, folder)


def test_series_that_the_archive_cannot_send_do_not_keep_the_later_ones(tmp_path):
    """A file of its storage is gone, or two patients have one identifier: it was asked again for ever."""
    stored = archive(**{f"bad{number}": series("CT") for number in range(4)}, whole=series(), last=series())
    with pytest.raises(RunFailed, match="4 series given up, .* 2 measured"):
        watched(Lacking(stored.known, stored.changes), tmp_path)
    assert [line["change"] for line in lines(tmp_path)] == [50, 10, 20, 30, 40, 60]
    assert "404" in lines(tmp_path)[1]["given_up"]


def test_series_whose_results_the_archive_does_not_take_do_not_keep_the_later_ones(tmp_path):
    stored = archive(large=series(), whole=series(), last=series())

    class Choosy(Stored):
        def store(self, paths: Sequence[Path]) -> int:
            if "00000010" in str(paths[0]):
                raise SeriesRefused("the archive answered with status 413")
            return super().store(paths)

    choosy = Choosy(stored.known, stored.changes)
    with pytest.raises(RunFailed, match="1 series given up, .* 2 measured"):
        watched(choosy, tmp_path)
    assert choosy.sent == ["00000020", "00000030"] and "413" in lines(tmp_path)[1]["given_up"]


@pytest.mark.parametrize("status", [400, 409, 413])
def test_an_archive_that_does_not_take_an_object_is_told_from_one_that_is_down(status, tmp_path):
    write(clean_series(Grid((4, 4, 1)), "MR"), tmp_path)
    with answering(status) as (url, _), pytest.raises(SeriesRefused, match=str(status)):
        Archive(access(url)).store(sorted(tmp_path.iterdir()))


def test_an_archive_that_can_send_no_series_is_asked_again_and_none_is_given_up(tmp_path):
    stored = archive(first=series(), a=series("CT"), b=series("CT"), c=series("CT"), d=series("CT"))
    lacking = Lacking(stored.known, stored.changes)
    with pytest.raises(ArchiveFailed, match="404"):
        watched(lacking, tmp_path)
    assert json.loads((tmp_path / "watch.json").read_text())["since"] == 10
    lacking.lacks = ""
    assert watched(lacking, tmp_path) == 4 and not any("given_up" in line for line in lines(tmp_path))


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server that gives one answer to whatever is asked: its address, and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body)), "Connection": "close"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


@pytest.mark.parametrize("status", [302, 307, 308])
def test_nothing_is_sent_where_an_archive_leads_to(status, tmp_path):
    write(clean_series(Grid((4, 4, 1)), "MR"), tmp_path)
    with answering(200, b"{}") as (other, asked), answering(status, Location=f"{other}/elsewhere") as (named, first):
        archive = Archive(access(named))
        archive.client.set_http_retry_params(retry=False)
        with pytest.raises(ArchiveFailed):
            archive.store(sorted(tmp_path.iterdir()))
        with pytest.raises(ArchiveFailed):
            archive.arrived(0)
    assert len(first) == 2 and asked == []


ODD_ANSWERS = {
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "no number": b'{"Changes": [{"ID": "x", "Seq": "../..", "ChangeType": "StableSeries"}], "Last": 1, "Done": true}',
    "not a number": b'{"Changes": [], "Last": NaN, "Done": true}',
    "text": b'{"Changes": "x", "Last": 1, "Done": true}',
}


@pytest.mark.parametrize("body", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_an_odd_answer_is_the_archives_failure_and_ends_no_watch(body):
    with answering(200, body) as (url, _), pytest.raises(ArchiveFailed):
        Archive(access(url)).arrived(0)


@pytest.mark.parametrize(("status", "failure"), [(404, SeriesRefused), (500, SeriesRefused), (503, ArchiveFailed)])
def test_a_series_that_is_refused_is_told_from_an_archive_that_is_down(status, failure, tmp_path):
    with answering(status) as (url, _):
        archive = Archive(access(url))
        archive.client.set_http_retry_params(retry=False)
        with pytest.raises(ArchiveFailed, match=str(status)) as raised:
            archive.retrieve(series(), tmp_path)
    assert type(raised.value) is failure


def test_objects_of_another_series_are_not_taken_for_the_one_that_was_asked_for(tmp_path):
    with sending(3) as url, pytest.raises(SeriesRefused, match="another series"):
        Archive(access(url)).retrieve(replace(series(instances=3), series="1.2.4"), tmp_path)


def test_what_is_no_dicom_is_the_archives_failure(tmp_path):
    body = b"--B\r\nContent-Type: application/dicom\r\n\r\n<html>\r\n--B--\r\n"
    kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=B'}
    with answering(200, body, **kind) as (url, _), pytest.raises(ArchiveFailed):
        Archive(access(url)).retrieve(series(instances=1), tmp_path)


@contextmanager
def sending(objects: int) -> Iterator[str]:
    """An archive that sends the same object again and again. Returns: its address."""
    one = clean_series(Grid((4, 4, 1)), "MR")[0]
    body = b""
    for number in range(objects):
        one.StudyInstanceUID, one.SeriesInstanceUID = "1.2", "1.2.3"
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        data = io.BytesIO()
        one.save_as(data, enforce_file_format=True)
        body += b"--B\r\nContent-Type: application/dicom\r\n\r\n" + data.getvalue() + b"\r\n"
    kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=B'}
    with answering(200, body + b"--B--\r\n", **kind) as (url, _):
        yield url


def test_a_series_as_it_is_said_to_be_is_retrieved(tmp_path):
    with sending(3) as url:
        Archive(access(url)).retrieve(series(instances=3), tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_an_archive_that_does_not_stop_sending_fills_no_disk(tmp_path, monkeypatch):
    with sending(9) as url:
        with pytest.raises(SeriesIncomplete, match="more than the 3 objects"):
            Archive(access(url)).retrieve(series(instances=3), tmp_path)
        assert len(list(tmp_path.iterdir())) == 3
        monkeypatch.setattr("caveat.pacs.archive.MOST_BYTES", 1000)
        with pytest.raises(SeriesIncomplete, match="TOO_LARGE: the archive sends more than 1000 bytes"):
            Archive(access(url)).retrieve(series(instances=9), tmp_path)
    monkeypatch.setattr("caveat.pacs.archive.MOST_BYTES_OF_TEXT", 1000)
    with answering(200, b"[" + b" " * 1000 + b"]") as (url, _), pytest.raises(ArchiveFailed, match="more than 1000 bytes"):
        Archive(access(url)).arrived(0)


def test_a_disk_that_is_full_before_the_series_is_whole_is_not_the_archive_s_fault(tmp_path):
    with sending(3) as url, pytest.raises(RunFailed, match="OUTPUT_NOT_WRITABLE") as failure:
        Archive(access(url)).retrieve(series(instances=3), tmp_path / "gone")
    assert not isinstance(failure.value, ArchiveFailed)


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
    file.write_text(f"reader:{SECRET}\n", encoding="utf-8-sig")  # as Windows' editors write it
    assert access("https://pacs.example/dicom-web", file).session.auth == ("reader", SECRET)
    monkeypatch.setenv(CREDENTIALS, f"Bearer {SECRET}")
    assert access("http://127.0.0.1:8042").session.headers["Authorization"] == f"Bearer {SECRET}"
    for url in (
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://pacs.example",
        f"https://reader:{SECRET}@pacs.example",
        "ftp://pacs.example",
        "pacs",
    ):
        with pytest.raises(StudyRefused) as refusal:
            access(url)
        assert refusal.value.code == "WRONG_USAGE" and SECRET not in str(refusal.value)


def test_an_archive_that_does_not_answer_is_said_in_one_line_without_its_address(tmp_path, capfd):
    study = tmp_path / "run" / "study-0001"
    write(clean_series(Grid((4, 4, 1)), "MR"), study)
    StudySeal.of(study, run_identity({}), 1, "input").write(study)
    (tmp_path / "run" / "run.json").write_text('{"studies": [{"number": 1, "name": "study-0001"}]}')
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
    other = tmp_path / "run" / "study-0002"
    shutil.copytree(study, other)  # of another run
    assert objects_of(tmp_path / "run") == [study / "measurements.dcm"]
    other.joinpath("measurements.dcm").write_text("another patient")
    StudySeal.of(other, "run", 2, "input").write(other)
    listed = [{"number": 1, "name": study.name, "files": file_sha256(other / SEAL)}]
    (tmp_path / "run" / "run.json").write_text(json.dumps({"studies": listed}))
    with pytest.raises(RunFailed, match="changed"):
        objects_of(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text(json.dumps({"studies": [{"number": 1, "name": study.name}]}))
    (study / "measurements.dcm").write_text("changed")
    with pytest.raises(RunFailed, match="changed"):
        objects_of(tmp_path / "run")
    with pytest.raises(StudyRefused):
        objects_of(tmp_path)


def test_a_study_that_is_gone_not_done_or_of_another_run_is_not_passed_over(tmp_path):
    """What is sent without it would be taken for the whole run."""
    measured("x", _images(tmp_path), tmp_path / "run", ())
    study, second = (tmp_path / "run" / name for name in ("study-0001", "study-0002"))
    listed = [{"number": number, "name": folder.name} for number, folder in enumerate((study, second), start=1)]
    manifest = tmp_path / "run" / "run.json"
    manifest.write_text(json.dumps({"studies": listed}))
    with pytest.raises(RunFailed, match="1 of 2 studies are not done"):
        objects_of(tmp_path / "run")
    shutil.copytree(study, second)
    StudySeal(run_identity({"seed": 1}), 2, "input", StudySeal.read(study).files).write(second)
    with pytest.raises(RunFailed, match="of another run"):
        objects_of(tmp_path / "run")
    StudySeal(run_identity({}), 2, "input", StudySeal.read(study).files).write(second)
    assert len(objects_of(tmp_path / "run")) == 2
    files = [file_sha256(tmp_path / "run" / one["name"] / SEAL) for one in listed]
    ended = [{**one, "files": sha256} for one, sha256 in zip(listed, files, strict=True)]
    manifest.write_text(json.dumps({"sealed": True, "studies": ended}))
    assert len(objects_of(tmp_path / "run")) == 2
    for gone in (second / SEAL, second):
        shutil.move(gone, tmp_path / gone.name)
        with pytest.raises(RunFailed, match="are gone"):
            objects_of(tmp_path / "run")
