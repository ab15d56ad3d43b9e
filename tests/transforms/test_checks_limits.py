"""Limits hold from the declared size alone."""

from __future__ import annotations

import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.checks.limits import LARGEST_FILE_BYTES, refuse_large_file, refuse_large_picture, refuse_large_volume


def is_refused(check, arguments) -> bool:
    try:
        check(*arguments)
    except StudyRefused as refusal:
        return refusal.code == "TOO_LARGE"
    return False


@pytest.mark.parametrize(
    ("check", "largest", "above"),
    [
        (refuse_large_file, (LARGEST_FILE_BYTES,), (LARGEST_FILE_BYTES + 1,)),
        (refuse_large_picture, (10_000, 10_000), (10_000, 10_001)),
        (refuse_large_volume, ((512, 512, 2000), 2), ((1024, 1024, 1024), 1)),
        (refuse_large_volume, ((512, 512, 1024), 8), ((512, 512, 1025), 8)),
        (refuse_large_volume, ((512, 512, 2048), 1), ((512, 512, 2049), 1)),
        (refuse_large_volume, ((1, 1, 1), 1), ((2**40, 2**40, 2**40), 1)),
    ],
)
def test_what_is_above_a_limit_is_refused_and_what_is_on_it_is_not(check, largest, above):
    assert not is_refused(check, largest)
    assert is_refused(check, above)
