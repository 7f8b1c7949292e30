"""Compiles what runs for every message to machine code, with mypyc, which reads the types that mypy checks.

Why: docs/decisions/0015. It takes a C compiler and Python headers (Debian: gcc, python3-dev). Without them, or when it
fails, Python runs the source, with the same results. What was made is kept in build/compiled/ until something changes
that it was made from.

    python hatch_compile.py            compile; says in which folder the modules lie, each where its source would
    python hatch_compile.py --missing  says what is missing for it, and nothing when nothing is
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SOURCE = ROOT / "src"
KEPT = ROOT / "build/compiled"
# Whoever is called for every message. Not compiled: dataclasses with slots and enums with a constructor, of which mypyc
# makes nothing better, and whatever asks the database, whose time is the driver's.
MODULES = (
    "broadcasts/composer.py",
    "content/bulk_headers.py",
    "content/compile/frame.py",
    "content/headers.py",
    "content/mime.py",
    "delivery/journal.py",
    "delivery/shifts/answers.py",
    "delivery/shifts/batches.py",
    "delivery/shifts/line.py",
    "delivery/shifts/window.py",
    "delivery/smtp/connection.py",
    "delivery/smtp/connections.py",
    "delivery/smtp/envelopes.py",
    "delivery/smtp/jobs.py",
    "delivery/smtp/loop.py",
    "delivery/smtp/replies.py",
    "delivery/smtp/wire.py",
    "delivery/tokens.py",
)
# What they import is read for its types alone; of the libraries only Django is there when a wheel is built.
CONFIGURATION = """\
[mypy]
mypy_path = {source}
namespace_packages = True
explicit_package_bases = True
follow_imports = silent
ignore_missing_imports = True
cache_dir = cache
"""


class NotCompiled(Exception):
    """Why the source is left as it is, for a person."""


def missing() -> str:
    """What is missing to compile, and how to get it; "" when nothing is."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    lacking = [] if shutil.which(compiler) else ["a C compiler"]
    lacking += [] if headers.is_file() else ["Python's headers"]
    return f"{' and '.join(lacking)} missing (Debian: apt-get install gcc python3-dev)" if lacking else ""


def compiled() -> Path:
    """The folder of the extension modules; makes them unless they are of these sources already.

    Raises:
        NotCompiled: something is missing, or mypyc or the compiler failed.
    """
    if lacking := missing():
        raise NotCompiled(lacking)
    folder = KEPT / _fingerprint()
    try:
        KEPT.mkdir(parents=True, exist_ok=True)
        # Whoever builds at the same moment waits, and finds it made.
        with (KEPT / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _make(folder)
    except OSError as error:
        raise NotCompiled(f"{KEPT}: {error}") from error
    return folder


def _make(folder: Path) -> None:
    for old in KEPT.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
    with tempfile.TemporaryDirectory(dir=KEPT) as scratch:
        _run(Path(scratch))
        (Path(scratch) / "made").rename(folder)


def _run(scratch: Path) -> None:
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, str(Path(__file__).resolve()), "--here"],
        cwd=scratch,
        env={**os.environ, "CFLAGS": "-O2 -g0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotCompiled(f"mypyc ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _fingerprint() -> str:
    """Of all that goes into it: the sources with whatever they import of ours, for its types; tools; this machine."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    versions = [metadata.version(name) for name in ("mypy", "django-stubs")]
    for part in (*versions, sys.version, str(sysconfig.get_config_var("EXT_SUFFIX"))):
        digest.update(part.encode() + b"\0")
    for path in sorted(_with_imports()):
        digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def _with_imports() -> set[Path]:
    found: set[Path] = set()
    waiting = [SOURCE / "envoi" / module for module in MODULES]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("envoi."):
                base = SOURCE / str(node.module).replace(".", "/")
                names = [base, *(base / name.name for name in node.names)]
                places = [place for name in names for place in (name.with_suffix(".py"), name / "__init__.py")]
                waiting += [place for place in places if place.is_file()]
    return found


def _compile_here() -> None:
    """Called in a process of its own in an empty folder: setuptools takes settings and arguments from around it."""
    # In this process alone: the rest of the build does without them.
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import setup  # noqa: PLC0415

    settings = Path("mypy.ini")
    settings.write_text(CONFIGURATION.format(source=SOURCE))
    sources = [str(SOURCE / "envoi" / module) for module in MODULES]
    extensions = mypycify(
        ["--config-file", str(settings), *sources], group_name="envoi", opt_level="2", debug_level="0"
    )
    setup(
        name="envoi-compiled",
        packages=[],
        ext_modules=extensions,
        script_args=["build_ext", "--build-lib", "made", "--build-temp", "objects"],
    )


def main() -> None:
    if sys.argv[1:] == ["--here"]:
        _compile_here()
        return
    if sys.argv[1:] == ["--missing"]:
        print(missing())  # noqa: T201
        return
    try:
        print(compiled())  # noqa: T201
    except NotCompiled as error:
        sys.exit(f"Not compiled: {error}")


if __name__ == "__main__":
    main()
