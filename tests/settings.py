"""Settings of the test runs: the product's own, in a throw-away data folder.

`ENVOI_DATABASE_URL` chooses PostgreSQL; without it the suite runs on SQLite.
"""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="envoi-test-")
_owner = os.getpid()
atexit.register(lambda: shutil.rmtree(_folder, ignore_errors=True) if os.getpid() == _owner else None)

os.environ["ENVOI_DATA"] = _folder
os.environ["ENVOI_BASE_URL"] = "http://localhost:8025"
os.environ.setdefault("ENVOI_SECRET_KEY", "a-key-that-only-the-tests-use-and-that-protects-nothing")

from envoi.config.settings import *  # noqa: E402, F403

if not POSTGRESQL:  # noqa: F405
    # Only in memory: a test that writes must not be refused because the live server reads the same table just then.
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA read_uncommitted=1;"  # noqa: F405

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The folder that `collectstatic` fills in an installation; WhiteNoise warns when it is missing.
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405
