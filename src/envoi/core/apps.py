from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.module_loading import autodiscover_modules

from envoi.core import database_sessions


class CoreConfig(AppConfig):
    name = "envoi.core"
    label = "core"

    def ready(self) -> None:
        """Import every domain's `tasks.py`, so that tasks are known by name in every process; begin each connection."""
        autodiscover_modules("tasks")
        connection_created.connect(database_sessions.begin, dispatch_uid="database_sessions")
