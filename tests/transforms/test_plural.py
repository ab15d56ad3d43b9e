"""Units as a sentence counts them."""

from __future__ import annotations

import pytest

from caveat.transforms.files.plural import plural


@pytest.mark.parametrize(
    ("unit", "many"),
    [
        ("subject", "subjects"),
        ("body", "bodies"),
        ("day", "days"),
        ("child", "children"),
        ("field of view", "fields of view"),
    ],
)
def test_units_are_counted_in_the_plural(unit, many):
    assert plural(unit) == many
