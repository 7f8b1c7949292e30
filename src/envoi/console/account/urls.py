from django.urls import URLPattern, path

from envoi.console.account import views

app_name = "account"

urlpatterns: list[URLPattern] = [
    path("", views.profile, name="profile"),
    path("language/", views.language, name="language"),
    path("theme/", views.theme, name="theme"),
    path("forgotten-password/", views.forgotten, name="forgotten"),
]
