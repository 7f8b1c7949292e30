"""The WSGI application that granian serves."""

import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "envoi.config.settings")

application = get_wsgi_application()

# Imported after the settings are known: the actions need the models.
from envoi.tracking.actions.flush import flush_until  # noqa: E402

# Each process that answers readers also stores what they did; of several on one machine, one at a time works.
threading.Thread(target=flush_until, args=(threading.Event(),), name="flush-spool", daemon=True).start()
