"""The guard gives the process its own filters of warnings back, whatever threads do at the same time."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from caveat.transforms.formats.guarded_pillow import guarded_pillow


def test_two_threads_leave_what_was_there():
    """The one that came first goes first: the other would give back what it had found, in which warnings are errors."""
    first_is_in, first_may_go, first_is_out = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with guarded_pillow(b"", "PNG"):
            first_is_in.set()
            first_may_go.wait(5)
        first_is_out.set()

    def second() -> None:
        assert first_is_in.wait(5)
        threading.Timer(0.1, first_may_go.set).start()
        with guarded_pillow(b"", "PNG"):
            assert first_is_out.wait(5)

    before, limit = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(first), threads.submit(second)]:
            done.result()
    assert list(warnings.filters) == before and limit == Image.MAX_IMAGE_PIXELS
