from django.apps import AppConfig


class BroadcastsConfig(AppConfig):
    name = "envoi.broadcasts"
    label = "broadcasts"
