"""Short addresses: they stand in every message several times."""

from django.urls import include, path

from envoi.public import unsubscribing, views

app_name = "public"
urlpatterns = [
    path("o/<str:token>.gif", views.open_pixel, name="open"),
    path("c/<str:token>/<str:link>", views.click, name="click"),
    path("w/<str:token>", views.web_view, name="web_view"),
    path("u/<str:token>", unsubscribing.unsubscribe, name="unsubscribe"),
    path("my/", include("envoi.public.my.urls")),
    path("n/v1/", include("envoi.public.notices.urls")),
]
