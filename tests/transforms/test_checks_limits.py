"""Limits hold from the declared size alone."""

from __future__ import annotations

import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.checks.limits import LARGEST_FILE_BYTES, refuse_large_file, refuse_large_picture, refuse_large_volume


def test_what_is_below_the_limits_passes():
    refuse_large_file(LARGEST_FILE_BYTES)
    refuse_large_picture(10_000, 10_000)
    refuse_large_volume((512, 512, 2000), 2)


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        (refuse_large_file, (LARGEST_FILE_BYTES + 1,)),
        (refuse_large_picture, (10_000, 10_001)),
        (refuse_large_volume, ((1024, 1024, 1024), 1)),
        (refuse_large_volume, ((512, 512, 1025), 8)),
        (refuse_large_volume, ((512, 512, 2049), 1)),
        (refuse_large_volume, ((2**40, 2**40, 2**40), 1)),
    ],
)
def test_what_is_above_is_refused(check, arguments):
    with pytest.raises(StudyRefused, match="TOO_LARGE"):
        check(*arguments)
