from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "envoi.customers"
    label = "customers"

    def ready(self) -> None:
        from envoi.customers.composer import COMPOSER, SignInComposer  # noqa: PLC0415 -- models are not loaded before
        from envoi.delivery import composers  # noqa: PLC0415

        composers.register(COMPOSER, SignInComposer())
