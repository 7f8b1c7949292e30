from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "envoi.console"
    label = "console"
