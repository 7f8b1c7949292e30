from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "envoi.delivery"
    label = "delivery"

    def ready(self) -> None:
        # Models are not loaded when this module is.
        from envoi.delivery import listeners  # noqa: PLC0415

        listeners.register()
