"""The translations: brought up to date from the code (`python -m tests.messages`), and looked through for gaps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "envoi"
LANGUAGES = ("fr", "nl", "sv")
PLURALS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "nl": "nplurals=2; plural=(n != 1);",
    "sv": "nplurals=2; plural=(n != 1);",
}


def extract(package: Path) -> None:
    """Write every text of `package` into its `locale/*/LC_MESSAGES/django.po`; translations that fit are kept."""
    (package / "locale").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, str(ROOT / "manage.py"), "makemessages", "--no-wrap", "--no-obsolete"]
        command += ["--add-location", "file", "--ignore", "tests/*", "--ignore", "static/*", "-v0"]
        for language in LANGUAGES:
            command += ["-l", language]
        environment = {**os.environ, "ENVOI_DATA": data, "DJANGO_SETTINGS_MODULE": "envoi.config.settings"}
        environment.pop("ENVOI_DATABASE_URL", None)
        done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"makemessages failed:\n{done.stdout}{done.stderr}")


def gaps(package: Path = PACKAGE) -> dict[str, list[str]]:
    """By language: what of the code's texts lacks a finished translation, and what is left of texts that are gone."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "envoi"
        shutil.copytree(package, copy, ignore=shutil.ignore_patterns("static", "__pycache__", "*.mo", "tests"))
        extract(copy)
        return {language: _gaps(_file(package, language), _file(copy, language)) for language in LANGUAGES}


def _file(package: Path, language: str) -> Path:
    return package / "locale" / language / "LC_MESSAGES" / "django.po"


def _gaps(kept: Path, extracted: Path) -> list[str]:
    known, wanted = entries(kept) if kept.exists() else {}, entries(extracted)
    return [
        *(f"not translated: {key[1]!r}" for key in sorted(wanted) if not finished(known.get(key))),
        *(f"no longer in the code: {key[1]!r}" for key in sorted(known.keys() - wanted.keys())),
    ]


def entries(path: Path) -> dict[tuple[str, str], polib.POEntry]:
    return {(entry.msgctxt or "", entry.msgid): entry for entry in polib.pofile(str(path)) if not entry.obsolete}


def finished(entry: polib.POEntry | None) -> bool:
    return entry is not None and bool(entry.translated()) and not entry.fuzzy


def main() -> int:
    extract(PACKAGE)
    for language in LANGUAGES:
        path = str(PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po")
        file = polib.pofile(path, wrapwidth=0)
        file.header, file.metadata_is_fuzzy = "Envoi, in the language that the folder names.", False
        file.metadata = {
            "Project-Id-Version": "Envoi",
            "Language": language,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
            "Plural-Forms": PLURALS[language],
        }
        file.save(path)
        print(f"{language}: {len(file)} texts, {len([entry for entry in file if not finished(entry)])} to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
