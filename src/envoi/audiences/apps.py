from django.apps import AppConfig


class AudiencesConfig(AppConfig):
    name = "envoi.audiences"
    label = "audiences"

    def ready(self) -> None:
        # Models stand only now; `listeners` reaches them.
        from envoi.audiences import listeners  # noqa: PLC0415

        listeners.register()
