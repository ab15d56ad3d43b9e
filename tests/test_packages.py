"""The house stands: every package is in the wheel, every module has one name, imports run one way."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("transforms", "networks", "inference", "bundles")
MAY_IMPORT = {
    "transforms": {"transforms", "reasons"},
    "networks": {"networks", "reasons"},
    "inference": {"inference", "transforms", "networks", "reasons"},
    "caveat": {"caveat", "reasons", *ROOMS},
}
FLOORED = ("inference", "networks", "transforms")
"""Rooms whose folders stand above each other: imports between them run down, without circles."""
MODULES = [path for room in ("caveat", *ROOMS) for path in sorted((ROOT / room).rglob("*.py"))]
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def test_setup_cfg_lists_every_package():
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(settings["options"]["packages"].split())
    folders = [init.parent.relative_to(ROOT).parts for room in ("caveat", *ROOMS) for init in (ROOT / room).rglob("__init__.py")]
    found = {".".join(parts if parts[0] == "caveat" else ("caveat", *parts)) for parts in folders}
    assert listed == found


def test_no_module_is_imported_under_its_folder_name():
    loaded = "caveat.cli, caveat.inference.engine.inferer, caveat.transforms.study.load_study"
    code = f"import sys, {loaded}; print({{*sys.modules}} & {set(ROOMS)})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert answer.stdout.strip() == "set()"


def test_help_and_info_load_no_torch():
    code = (
        "import sys; from caveat.cli import main\n"
        "try: main(['predict', '--help'])\n"
        "except SystemExit: pass\n"
        "main(['info']); main(['info', 'retinal_vessels'])\n"
        "print('heavy:', {*sys.modules} & {'torch', 'monai', 'numpy', 'scipy', 'skimage'})"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "heavy: set()" in answer.stdout


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """What a module imports of the product, relatively or as caveat.*: the room first, then folders, module and name."""
    folders = path.relative_to(ROOT).parts[:-1]
    package = folders if folders[0] == "caveat" else ("caveat", *folders)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[tuple[str, ...]] = []
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            names = [(*above, *(node.module or "").split("."), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        for parts in (tuple(filter(None, name)) for name in names):
            if parts[0] == "caveat" and len(parts) > 1:
                yield parts[1:] if parts[1] in ROOMS else parts


def imported_rooms(path: Path) -> set[str]:
    """Rooms that a module imports from; the reason codes, open to all, count as one of their own."""
    return {"reasons" if parts[:2] == ("caveat", "reasons") else parts[0] for parts in imported(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    room = path.relative_to(ROOT).parts[0]
    if path.name == "__init__.py":
        if path.parent != ROOT / "caveat":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert all(isinstance(node, ast.Expr) for node in body), "folder __init__ files import nothing"
        return
    if path == ROOT / "caveat" / "reasons.py":
        assert imported_rooms(path) == set()
    else:
        assert imported_rooms(path) <= MAY_IMPORT[room]


def folders_below(room: str) -> dict[str, set[str]]:
    """The folders of a room, and which others of them each imports from; a loose module stands for itself."""
    below: dict[str, set[str]] = {}
    for path in (path for path in MODULES if path.relative_to(ROOT).parts[0] == room and path.name != "__init__.py"):
        own = path.relative_to(ROOT / room).parts[0].removesuffix(".py")
        inside = {parts[1] for parts in imported(path) if parts[0] == room}
        below.setdefault(own, set()).update(inside - {own})
    return below


@pytest.mark.parametrize("room", [*FLOORED, "caveat"])
def test_folders_of_a_room_import_one_way(room):
    assert list(TopologicalSorter(folders_below(room)).static_order())  # a CycleError names the folders of a circle


@pytest.mark.parametrize("room", FLOORED)
def test_nothing_lies_loose_in_a_room(room):
    assert [path.name for path in (ROOT / room).glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short_quiet_and_documented(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(tree), "a module says what it is"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"
        assert not isinstance(node, ast.Assert), "no assert outside tests"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), "no bare except"
        if path.relative_to(ROOT).parts[0] != "caveat":
            assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"), "printing is the command line's"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_the_code_knows_nothing_of_one_machine():
    for path in [*MODULES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        assert "/work/" not in path.read_text(encoding="utf-8") and "/root/" not in path.read_text(encoding="utf-8"), path
