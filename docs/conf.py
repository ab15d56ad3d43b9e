"""The documentation site, made of the same Markdown files as are read in a checkout: `make site`."""

import shutil
from pathlib import Path

import caveat

project = html_title = "caveat"
release = caveat.__version__
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "bundles/*/docs/**.md", "benchmarks/*.md"]
exclude_patterns = [".*", "build", "docs/contents.md", "docs/package.md"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
suppress_warnings = ["myst.header"]  # pages that a command appends to begin with "##"

myst_heading_anchors = 6
highlight_language = "none"
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

html_theme = "furo"  # asks no other host for anything, as tests/test_site.py holds
html_static_path = ["_static"]
html_css_files = ["room.css"]
html_copy_source = html_show_copyright = False


def setup(app):
    app.connect("source-read", complete)
    app.connect("autodoc-process-docstring", escape)
    app.connect("build-finished", name_start_page)


def complete(app, name, source):
    """The start page gets the table of contents; a bundle's further pages, to which its first one leads, stand in none."""
    if name == root_doc:
        source[0] += (Path(__file__).parent / "contents.md").read_text(encoding="utf-8")
    elif name.startswith("bundles/") and not name.endswith("/README"):
        source[0] = "---\norphan: true\n---\n\n" + source[0]


def escape(app, what, name, thing, options, lines):
    """A star in a docstring is a star: (draws, *spatial)."""
    lines[:] = [line.replace("*", r"\*") for line in lines]


def name_start_page(app, exception):
    if exception is None:
        shutil.copyfile(app.outdir / f"{root_doc}.html", app.outdir / "index.html")
