from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "envoi.contacts"
    label = "contacts"
