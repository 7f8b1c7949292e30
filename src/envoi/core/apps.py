from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "envoi.core"
    label = "core"
