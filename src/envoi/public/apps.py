from django.apps import AppConfig


class PublicConfig(AppConfig):
    name = "envoi.public"
    label = "public"
