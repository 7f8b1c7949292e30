"""Every address of the product: the API, the pages readers see, and the console. No address is of two."""

from django.urls import include, path

from envoi.console.account.views import absent, forgotten

# Pages of the sign-in library that have no use here: nobody signs up, and a lost password is an owner's business.
UNUSED = [
    "signup/",
    "signup/passkey/",
    "email/",
    "confirm-email/",
    "login/code/",
    "login/code/confirm/",
    "password/set/",
]

urlpatterns = [
    path("api/", include("envoi.api.urls")),
    path("", include("envoi.public.urls")),
    *(path(f"accounts/{unused}", absent) for unused in UNUSED),
    path("accounts/password/reset/", forgotten),
    path("accounts/", include("allauth.urls")),
    path("", include("envoi.console.urls")),
]

handler500 = "envoi.console.errors.server_error"
