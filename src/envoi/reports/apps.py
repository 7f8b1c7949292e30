from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "envoi.reports"
    label = "reports"
