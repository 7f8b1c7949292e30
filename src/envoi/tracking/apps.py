from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "envoi.tracking"
    label = "tracking"

    def ready(self) -> None:
        # Models are not loaded when this module is.
        from envoi.delivery import evidence  # noqa: PLC0415
        from envoi.tracking.queries import with_signs  # noqa: PLC0415

        evidence.register(with_signs)
