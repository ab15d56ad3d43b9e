"""A bundle's own settings are short, and its configs are what they and the base settings make."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from caveat.compose_bundle import composed_configs

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = sorted({path.parent.parent for path in (ROOT / "bundles").glob("*/settings/*.yaml")})
LONGEST_SETTINGS, MOST_EXPRESSIONS = 60, 10


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_configs_are_what_make_bundles_writes(bundle):
    composed = composed_configs(bundle)
    assert composed
    for path, text in composed.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is not up to date: make bundles"


@pytest.mark.parametrize("source", [path for bundle in BUNDLES for path in sorted((bundle / "settings").iterdir())], ids=str)
def test_what_a_bundle_says_itself_is_short_and_no_program(source):
    text = source.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_SETTINGS
    assert "lambda" not in text and str(yaml.safe_load(text)).count("$") <= MOST_EXPRESSIONS
