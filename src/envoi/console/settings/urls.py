from django.urls import URLPattern, URLResolver, include, path

from envoi.console.settings import api_keys, audit, general, users

app_name = "settings"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", general.index, name="index"),
    path("general/", general.general, name="general"),
    path("users/", users.users, name="users"),
    path("users/new/", users.new, name="user-new"),
    path("users/<int:pk>/role/", users.role, name="user-role"),
    path("users/<int:pk>/deactivation/", users.deactivation, name="user-deactivation"),
    path("users/<int:pk>/activation/", users.activation, name="user-activation"),
    path("users/<int:pk>/password/", users.password, name="user-password"),
    path("users/<int:pk>/second-factors/", users.second_factors, name="user-second-factors"),
    path("api-keys/", api_keys.keys, name="api-keys"),
    path("api-keys/new/", api_keys.new, name="api-key-new"),
    path("api-keys/<int:pk>/revocation/", api_keys.revocation, name="api-key-revocation"),
    path("audit/", audit.entries, name="audit"),
    path("dashboards/", include("envoi.console.settings.dashboards.urls")),
    path("sending/", include("envoi.console.settings.sending.urls")),
]
