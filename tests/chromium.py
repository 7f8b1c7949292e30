"""Debian's Chromium, for whatever looks at pages: tests and the pictures of the documentation."""

from __future__ import annotations

import shutil

# The shell is Chromium without the windows around its pages: the same engine for three fifths of the time.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or shutil.which("chromium-browser")
