from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "envoi.accounts"
    label = "accounts"

    def ready(self) -> None:
        from envoi.accounts import listeners  # noqa: PLC0415 -- models are not loaded before

        listeners.register()
