"""`bin/up` on machines that lack something: it says what, and how to get it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.installation import ROOT

NEEDED = ("bash", "dirname", "basename", "cat", "cksum", "find", "sort", "rm", "env")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs without any Python, beside a copy of bin/."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    return tmp_path


def python(machine: Path, name: str, script: str) -> None:
    path = machine / "programs" / name
    path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
    path.chmod(0o755)


def up(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(machine / "bin" / "up")],
        env={"PATH": str(machine / "programs")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_too_old_is_named(machine: Path) -> None:
    python(machine, "python3", "echo 3.9; exit 1")
    refused = up(machine)
    assert refused.returncode == 1
    assert refused.stderr == (
        "envoi: Python 3.11 or newer is needed; found 3.9 only. Debian 12: apt-get install python3 python3-venv\n"
    )


def test_a_machine_without_python_is_told_how_to_get_it(machine: Path) -> None:
    refused = up(machine)
    assert refused.returncode == 1
    assert "Python 3.11 or newer is needed; none was found." in refused.stderr


def test_a_shim_of_a_version_that_is_not_installed_is_passed_over(machine: Path) -> None:
    python(machine, "python3.13", "echo 'not installed' >&2; exit 127")
    python(machine, "python3.11", 'case "$*" in *ensurepip*) exit 1 ;; *) echo 3.11 ;; esac')
    refused = up(machine)
    assert refused.returncode == 1
    assert refused.stderr == "envoi: Python's venv module is missing. Debian: apt-get install python3-venv\n"
    assert not (machine / ".venv-run").exists()
