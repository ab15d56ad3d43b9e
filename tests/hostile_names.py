"""Names of files and folders that some program would run, follow, read or trip over."""

from __future__ import annotations

MARKER = "it_was_run"
"""A file that any of the names below would make in the current folder, were it evaluated."""
HOSTILE = (
    f"$open('{MARKER}', 'w')",
    f"$__import__('os').mkdir('{MARKER}')",
    "%metadata.json",
    f"%{MARKER}.yaml::x",
    "@network",
    "@#image",
    "%#image",
    "a::b",
    "a#b",
    'it\'s "quoted"',
    "{braces} {{MARKER}} ${HOME} %s %(x)s",
    "line\nbreak",
    "-o",
    "=cmd()",
    "~",
    "x" * 240,
    "M\udcfcller",  # of old systems: bytes of no encoding
)
