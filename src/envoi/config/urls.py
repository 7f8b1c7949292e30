"""Every address of the product: the console and the pages readers see. No address is of both."""

from django.urls import include, path

urlpatterns = [
    path("", include("envoi.public.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("envoi.console.urls")),
]
