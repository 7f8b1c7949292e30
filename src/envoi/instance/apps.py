from django.apps import AppConfig


class InstanceConfig(AppConfig):
    name = "envoi.instance"
    label = "instance"
