from django.urls import URLPattern, path

from envoi.console.home import views

app_name = "home"

urlpatterns: list[URLPattern] = [path("", views.dashboard, name="dashboard")]
