"""Imports go one way: every import of every module, read from the source, against the design's table."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("firmware_protocol", "calibration", "penapp", "models")
ALLOWED_OWN = {
    "firmware_protocol": {"firmware_protocol"},
    "calibration": {"calibration"},
    "penapp": {"penapp", "firmware_protocol", "calibration"},
    "models": {"models", "penapp", "firmware_protocol", "calibration"},
}
ALLOWED_FOREIGN = {
    "firmware_protocol": {"numpy", "cobs"},
    "calibration": {"numpy", "scipy"},
}
QT = {"PySide6", "shiboken6", "PyQt6", "pyqtgraph", "qasync"}
TRAINING = {"torch", "onnx", "safetensors", "torchvision"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(p): p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))}


def imported(node: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Every module that one import statement may load."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            here = module.split(".")
            kept = here[: len(here) - node.level + is_package]
            base = ".".join([*kept, base] if base else kept)
        names = [f"{base}.{alias.name}" for alias in node.names]
        yield from (name if name in MODULES else base for name in names)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def walk(tree: ast.AST, *, at_import_only: bool) -> Iterator[ast.AST]:
    """All nodes; or only those that run when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if at_import_only and (function or is_type_checking(node)):
            continue
        yield node
        yield from walk(node, at_import_only=at_import_only)


def imports_of(module: str, *, at_import_only: bool = False) -> set[str]:
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    is_package = path.name == "__init__.py"
    nodes = walk(tree, at_import_only=at_import_only)
    return {name for node in nodes for name in imported(node, module, is_package)}


def top(name: str) -> str:
    return name.split(".", 1)[0]


def room(module: str) -> str:
    """penapp.dsp.resample -> penapp.dsp; another package is one room."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "penapp" else parts[0]


def allowed_qt(module: str) -> bool:
    return module == "penapp.app" or room(module) == "penapp.ui"


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_never_point_back_up(package):
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        if top(module) == package
        for name in imports_of(module)
        if top(name) in {*PACKAGES, "tests"} - ALLOWED_OWN[package]
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ALLOWED_FOREIGN)
def test_lower_packages_need_no_more_than_they_say(package):
    known = sys.stdlib_module_names | ALLOWED_FOREIGN[package] | ALLOWED_OWN[package]
    foreign = {
        f"{module} imports {name}"
        for module in MODULES
        if top(module) == package
        for name in imports_of(module)
        if top(name) not in known
    }
    assert foreign == set()


def test_qt_lives_in_the_window_alone():
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        if not allowed_qt(module)
        for name in imports_of(module)
        if top(name) in QT
    ]
    assert wrong == []


def test_only_the_front_doors_import_the_window():
    doors = {"penapp.app", "penapp.__main__"}
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        if not allowed_qt(module) and module not in doors and not module.startswith("penapp.cli")
        for name in imports_of(module)
        if room(name) in {"penapp.ui", "penapp.app"}
    ]
    assert wrong == []


def test_the_program_never_imports_torch():
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        if top(module) != "models"
        for name in imports_of(module)
        if top(name) in TRAINING
    ]
    assert wrong == []


def test_no_module_needs_itself_to_be_loaded():
    graph = {m: {n for n in imports_of(m, at_import_only=True) if n in MODULES and n != m} for m in MODULES}
    assert cycle(graph) == ""


def test_rooms_do_not_need_each_other_in_a_circle():
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        needed = {room(n) for n in imports_of(module, at_import_only=True) if n in MODULES}
        graph.setdefault(room(module), set()).update(needed - {room(module), "penapp"})
    graph.pop("penapp", None)
    assert cycle(graph) == ""


def cycle(graph: dict[str, set[str]]) -> str:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " <- ".join(error.args[1])
    return ""


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds afterwards."""
    code = f"{statement}\nimport sys\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["penapp.__main__", "penapp.pipeline", "penapp.live", "penapp.device.virtual"]
)
def test_loading_the_program_loads_neither_torch_nor_qt(module):
    assert loaded_after(f"import {module}") & (TRAINING | QT) == set()


def test_loading_the_window_loads_no_torch():
    assert loaded_after("import penapp.app, penapp.ui.main_window") & TRAINING == set()


def test_making_the_recogniser_loads_no_torch():
    statement = (
        "from firmware_protocol.channels import standard_descriptor\n"
        "from penapp.pipeline import default_pipeline\n"
        "default_pipeline(standard_descriptor())"
    )
    loaded = loaded_after(statement)
    assert loaded & (TRAINING | QT) == set()
    assert "onnxruntime" in loaded


# The reader of imports itself: each kind of import it must see.


@pytest.mark.parametrize(
    ("source", "module", "expected"),
    [
        ("import torch.nn as nn", "penapp.live", "torch.nn"),
        ("def f():\n    from torch import nn", "penapp.live", "torch"),
        ("from . import block", "penapp.stream.ring", "penapp.stream.block"),
        ("from .block import SampleBlock", "penapp.stream.ring", "penapp.stream.block"),
        ("from penapp.stream import block", "penapp.live", "penapp.stream.block"),
        ("if True:\n    import PySide6.QtCore", "penapp.live", "PySide6.QtCore"),
    ],
)
def test_reader_sees_every_kind_of_import(source, module, expected):
    nodes = walk(ast.parse(source), at_import_only=False)
    assert expected in {name for node in nodes for name in imported(node, module, False)}
