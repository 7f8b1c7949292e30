"""What runs for every message is compiled where that can be, and goes without where it cannot."""

from __future__ import annotations

import importlib
import os
import sysconfig
from pathlib import Path

import pytest

import hatch_compile

ROOT = Path(__file__).resolve().parents[2]
KINDS = {True: ".so", False: ".py"}


@pytest.mark.parametrize("module", hatch_compile.MODULES)
def test_the_tests_run_what_they_say_they_run(module: str) -> None:
    found = importlib.import_module(f"envoi.{module.removesuffix('.py').replace('/', '.')}")
    assert found.__file__ is not None
    assert Path(found.__file__).suffix == KINDS["ENVOI_TESTS_COMPILED" in os.environ]


def test_without_compiler_and_headers_it_is_said_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(hatch_compile.NotCompiled) as refused:
        hatch_compile.compiled()
    assert str(refused.value) == ("a C compiler and Python's headers missing (Debian: apt-get install gcc python3-dev)")


def test_what_the_compiled_modules_import_is_compiled_anew_with_them() -> None:
    found = {str(path.relative_to(ROOT / "src/envoi")) for path in hatch_compile._with_imports()}
    assert set(hatch_compile.MODULES) <= found
    # Fields of these are known to the machine code; one is imported by name, one as a module of a package.
    assert {"delivery/composers.py", "delivery/shifts/jobs.py", "content/escaping.py"} <= found
    assert not [path for path in found if path.startswith("console/")]
