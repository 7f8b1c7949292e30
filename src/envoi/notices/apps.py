from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "envoi.notices"
    label = "notices"

    def ready(self) -> None:
        # Models stand only now; `listeners` reaches them.
        from envoi.notices import listeners  # noqa: PLC0415

        listeners.register()
