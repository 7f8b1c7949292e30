from django.urls import include, path

urlpatterns = [
    path("", include("envoi.console.home.urls")),
    path("account/", include("envoi.console.account.urls")),
    path("broadcasts/", include("envoi.console.broadcasts.urls")),
    path("contacts/", include("envoi.console.contacts.urls")),
    path("audiences/", include("envoi.console.audiences.urls")),
    path("layouts/", include("envoi.console.layouts.urls")),
    path("sandbox/", include("envoi.console.sandbox.urls")),
    path("settings/", include("envoi.console.settings.urls")),
]
