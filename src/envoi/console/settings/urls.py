from django.urls import URLPattern, URLResolver, include, path

app_name = "settings"

urlpatterns: list[URLPattern | URLResolver] = [
    path("sending/", include("envoi.console.settings.sending.urls")),
]
