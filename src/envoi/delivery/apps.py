from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "envoi.delivery"
    label = "delivery"
