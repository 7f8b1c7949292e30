from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "envoi.core"
    label = "core"

    def ready(self) -> None:
        """Import every domain's `tasks.py`, so that tasks are known by name in every process."""
        autodiscover_modules("tasks")
