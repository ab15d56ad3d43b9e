"""What is too much for the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Args:
    bytes: of one upload, all its files together. files: of one upload. jobs: at once, with those whose results still stand.
    upload_seconds: until an upload is complete. study_seconds: to measure one study, and to measure an upload.
    keep_seconds: that a result stands. absent_seconds: without a page that listens, after which a job is deleted.
    """

    bytes: int = 2 * 2**30
    files: int = 20_000
    jobs: int = 64
    upload_seconds: float = 900
    study_seconds: float = 1800
    keep_seconds: float = 3600
    absent_seconds: float = 60
