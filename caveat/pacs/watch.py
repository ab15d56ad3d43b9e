"""Series that come to an archive are measured, and the results go back, whatever ends in between."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exit_status import RunFailed
from ..own_process import command, environment, failure_of
from ..reasons import StudyRefused
from ..say import say
from ..transforms.files.whole_file import unwritable, write_whole
from ..transforms.output.journal import NAME as JOURNAL
from ..transforms.output.journal import Journal
from ..transforms.output.run_folder import NAME as MANIFEST
from ..transforms.study.discover import find_studies
from .archive import Archive, ArchiveFailed, Arrived, Series, SeriesIncomplete, SeriesRefused
from .rules import Rule
from .send import send

NO_INPUT_FOUND = "NO_INPUT_FOUND"
STATE = "watch.json"
CHANGE, WAITING = "change", "waiting"
"""Its entries of which change was the last, and of series that began and were not said to rest, with the number of a change."""
INCOMING = re.compile(r"\.[0-9a-f]{16}\.incoming\.partial")
"""Folders of images on their way; gone when they are measured."""
LONGEST_NAP_S = 0.5
LONGEST_LINE = 2**16
MOST_TRIES = 3
"""Of a series of which the archive sends less than it says that there is, before the later ones have their turn."""
MOST_FAILURES = 3
"""Of series one after the other of which no measurement comes to an end, before that is no fault of theirs."""


class SeriesFailed(RunFailed):
    """No measurement of a series comes to an end, and nothing tells whether that is its fault or the machine's."""


def predict(bundle: str, images: Path, folder: Path, options: Sequence[str]) -> str:
    """`caveat predict` in a process of its own; its words name studies by number. Returns: as `failure_of`."""
    asked = ("--dicom", "--anonymous-names", "--resume", *options)
    started = command("caveat", "predict", bundle, "-i", str(images), "-o", str(folder), *asked)
    ended = subprocess.run(
        started, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", env=environment()
    )
    say(ended.stderr.rstrip())
    return failure_of(ended.stderr, ended.returncode)


@dataclass(frozen=True)
class Watch:
    """A watch over one archive.

    Every series is a run of its own, `caveat predict` in a process of its own, in a folder named by the number of Orthanc's
    change and a hash of the series' identifier, the bundle and the options. The last number that is done stands in watch.json,
    and which change it was. What is done again after a kill is the same run, which is kept, and the same objects, which the
    archive has: nothing is lost and nothing is there twice.

    Args:
        archive: an Orthanc. rules: which series are meant. output: folder of the watch. options: handed on to `caveat predict`.
        predict: measures the images of a folder.

    Attributes:
        waiting: of watch.json. An Orthanc that ends before a series rests never says that it does.
    """

    archive: Archive
    rules: Sequence[Rule]
    output: Path
    options: Sequence[str] = ()
    predict: Callable[[str, Path, Path, Sequence[str]], str] = predict
    waiting: dict[str, int] = field(default_factory=dict, init=False)

    def run(self, stopping: Callable[[], bool], pause: float, once: bool) -> int:
        """Watch until told to stop.

        Args:
            stopping: asked between series. pause: seconds between two looks. once: end when all that there is was looked at.

        Returns:
            how many series were measured.

        Raises:
            StudyRefused: OUTPUT_NOT_WRITABLE, OUTPUT_OF_ANOTHER_RUN where another watch writes there, or a run of `caveat
                predict` lies there.
            RunFailed: what ends a watch; an archive that does not answer does so only with `once`, else it is asked again. With
                `once` also, at the end, where a series was given up.
        """
        if os.path.lexists(self.output / MANIFEST):
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", f"it holds a {MANIFEST}")
        journal, measured, given_up = Journal.open(self.output / JOURNAL), 0, 0
        try:
            self._refuse_foreign_journal()
            self._sweep()
            while not stopping():
                try:
                    for outcome in self._catch_up(journal, stopping, pause):
                        measured += outcome is True
                        given_up += outcome is None
                except ArchiveFailed as failure:
                    if once:
                        raise
                    say(f"caveat: {failure}; asking again in {pause:g} s")
                if once:
                    break
                _wait(pause, stopping)
        finally:
            journal.close()
        if once and given_up:
            raise RunFailed(f"{given_up} series given up, see {JOURNAL}; {measured} measured")
        return measured

    def _catch_up(self, journal: Journal, stopping: Callable[[], bool], pause: float) -> Iterator[bool | None]:
        """All changes since the last one that is done.

        A series that the archive does not send, or whose results it does not take, or of which no measurement comes to an end, is
        given up once a later one was measured: then it was its own fault. Until then it is not done. Where no measurement of
        several comes to an end, or no other is there, the watch ends; an archive is asked again.

        Yields:
            of each whether it was measured; None where it was given up.
        """
        looked, at_end, failed = self._since(), False, list[tuple[Arrived, RunFailed]]()
        self.waiting.clear()
        self.waiting.update(self._state()[WAITING])
        while not at_end:
            since = looked
            arrived, looked, at_end = self.archive.arrived(since)
            if looked < since or self._is_another(self._since()):
                raise RunFailed(
                    "this archive has not seen the changes that were done here: it is another one; watch it in another folder"
                )
            self.waiting.update((one.key, one.number) for one in arrived if not one.rests)
            rested = [one for one in arrived if one.rests]
            for one in rested + (self._rested_unsaid(rested, looked) if at_end else []):
                if stopping():
                    return
                try:
                    outcome = self._tried(one, journal, stopping, pause)
                except (SeriesFailed, SeriesRefused) as failure:
                    failed.append((one, failure))
                    if len(_of_measuring(failed)) == MOST_FAILURES:
                        raise
                    continue
                while outcome and failed:
                    gone, why = failed.pop(0)
                    self._give_up(gone, journal, f"{why}, which a later one had not")
                    yield None
                if not failed:
                    self._note(max(one.number, self._since()))
                yield outcome
            if looked > self._since() and not failed:
                self._note(looked)
        if failed:
            raise [*_of_measuring(failed), failed[-1][1]][0]

    def _rested_unsaid(self, rested: Sequence[Arrived], looked: int) -> list[Arrived]:
        """Series that wait and rest, or are gone, of which no change says so. Args: looked: number of the last change."""
        waiting = [Arrived(number, key) for key, number in self.waiting.items() if key not in {one.key for one in rested}]
        resting = [one for one in waiting if (series := self.archive.series(one.key)) is None or series.is_stable]
        said = {one.key for one in self.archive.arrived(looked)[0]} if resting else set()  # it came to rest meanwhile
        return [one for one in resting if one.key not in said]

    def _tried(self, one: Arrived, journal: Journal, stopping: Callable[[], bool], pause: float) -> bool | None:
        """Handle a series; one that the archive never sends whole is given up, and the next have their turn.

        Returns:
            whether it was measured, None where it was given up.

        Raises:
            SeriesRefused: each time.
        """
        for tries in range(MOST_TRIES):
            if tries:
                _wait(pause, stopping)
            try:
                return self._handle(one, journal)
            except (SeriesIncomplete, SeriesRefused) as failure:
                last = isinstance(failure, SeriesRefused) and tries == MOST_TRIES - 1
                if last or stopping():
                    raise
                why = str(failure)
        self._give_up(one, journal, why)
        return None

    def _give_up(self, one: Arrived, journal: Journal, why: str) -> None:
        journal.write({"change": one.number, "given_up": why})
        say(f"series {one.number}: given up, {why}; it is measured when the archive says that more of it has come")

    def _handle(self, one: Arrived, journal: Journal) -> bool:
        """Measure one series, if it is meant. Returns: whether it was."""
        series = self.archive.series(one.key)
        self.waiting.pop(one.key, None)
        if series is not None and not series.is_stable:  # more of it has come: it will rest again
            self.waiting[one.key] = one.number
        if series is None or series.is_ours or not series.is_stable:
            return False
        rule = next((rule for rule in self.rules if rule.fits(series)), None)
        if rule is None:
            return False
        start, folder = time.monotonic(), self.output / _folder_of(one, series, rule, self.options)
        if not _is_sealed(folder) and not self._measure(series, rule, folder):
            journal.write({"change": one.number, "passed_over": NO_INPUT_FOUND})
            say(f"series {one.number}: passed over, none of its objects is an image")
            return False
        sent = send(folder, self.archive)
        journal.write(
            {"change": one.number, "bundle": rule.bundle, "objects": sent, "seconds": round(time.monotonic() - start, 1)}
        )
        say(f"series {one.number}: {sent} objects sent, {time.monotonic() - start:.1f} s")
        return True

    def _measure(self, series: Series, rule: Rule, folder: Path) -> bool:
        """Returns: whether there was an image.

        Raises:
            RunFailed: the run did not come to its end; a refusal is an end. SeriesFailed: and does not say why.
        """
        incoming = self.output / f".{secrets.token_hex(8)}.incoming.partial"
        incoming.mkdir(mode=0o700)
        try:
            self.archive.retrieve(series, incoming)
            code = self.predict(rule.bundle, incoming, folder, self.options)
            if _is_sealed(folder):
                return True
            if _holds_no_image(incoming):  # raw data, a document: every later start would end here again
                return False
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        failure = SeriesFailed if code == "UNEXPECTED_ERROR" else RunFailed
        raise failure(f"caveat predict ended with {code or 'no result'}")

    def _refuse_foreign_journal(self) -> None:
        """Raises: StudyRefused: OUTPUT_OCCUPIED: a file of somebody else's, to which lines would be added."""
        with (self.output / JOURNAL).open("rb") as file:
            first = file.readline(LONGEST_LINE)
        try:
            ours = not first or "change" in json.loads(first)
        except (ValueError, TypeError, RecursionError):
            ours = False
        if not ours:
            raise StudyRefused("OUTPUT_OCCUPIED", f"a {JOURNAL} that no watch wrote")

    def _sweep(self) -> None:
        """Delete the images that a killed watch of this folder left."""
        for left in self.output.iterdir():
            if INCOMING.fullmatch(left.name) and left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)

    def _is_another(self, since: int) -> bool:
        """Whether the archive knows another change by the number of the last one that is done; each counts its own from 1."""
        noted = self._state().get(CHANGE)
        return noted is not None and self.archive.change(since) not in (None, noted)

    def _since(self) -> int:
        return int(self._state()["since"])

    def _state(self) -> dict[str, Any]:
        try:
            stored = json.loads((self.output / STATE).read_text(encoding="ascii"))
            waiting = {str(key): int(number) for key, number in stored.get(WAITING, {}).items()}
            return {**stored, "since": int(stored["since"]), WAITING: waiting}
        except FileNotFoundError:
            return {"since": 0, WAITING: {}}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise RunFailed(
                f"{STATE} cannot be read; without it everything would be looked at again: delete it for that"
            ) from None

    def _note(self, number: int) -> None:
        text = json.dumps({"since": number, CHANGE: self.archive.change(number), WAITING: self.waiting})
        try:
            write_whole(self.output / STATE, lambda aside: aside.write_text(text + "\n", encoding="ascii"))
        except OSError as error:
            raise RunFailed(str(unwritable(error))) from None


def _of_measuring(failed: Sequence[tuple[Arrived, RunFailed]]) -> list[SeriesFailed]:
    """Failures that are none of the archive's."""
    return [failure for _, failure in failed if isinstance(failure, SeriesFailed)]


def _folder_of(one: Arrived, series: Series, rule: Rule, options: Sequence[str]) -> str:
    """The number of the change, of which series it is, since another archive counts its changes from 1 too, and how it is
    measured: what was measured by rules of before, and not sent yet, is not taken for what the rules say now."""
    asked = json.dumps([series.series, rule.bundle, *options])
    return f"{one.number:08d}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def _is_sealed(run: Path) -> bool:
    """Whether a run saw to its one study."""
    try:
        return bool(json.loads((run / MANIFEST).read_text(encoding="ascii")).get("sealed"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def _holds_no_image(folder: Path) -> bool:
    """Whether `caveat predict` finds nothing there that could be measured or refused."""
    try:
        find_studies(folder)
    except StudyRefused as refusal:
        return refusal.code == NO_INPUT_FOUND
    return False


def _wait(seconds: float, stopping: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not stopping() and (left := end - time.monotonic()) > 0:
        time.sleep(min(LONGEST_NAP_S, left))
