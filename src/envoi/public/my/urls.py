"""The customer page."""

from django.urls import path

from envoi.public.my import entrance, views

urlpatterns = [
    path("", views.home, name="my"),
    path("sign-in/", entrance.sign_in, name="my-sign-in"),
    path("enter/<str:token>/", entrance.enter, name="my-enter"),
    path("sign-out/", entrance.sign_out, name="my-sign-out"),
    path("messages/", views.past, name="my-messages"),
    path("preferences/", views.preferences, name="my-preferences"),
    path("preferences/language/", views.language, name="my-language"),
    path("preferences/all-mail/", views.all_mail, name="my-all-mail"),
    path("notices/<slug:key>/dismissal/", views.dismissal, name="my-dismissal"),
    path("notices/<slug:key>/acknowledgement/", views.acknowledgement, name="my-acknowledgement"),
]
