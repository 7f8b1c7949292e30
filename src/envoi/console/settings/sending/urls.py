from django.urls import path

from envoi.console.settings.sending import views

urlpatterns = [
    path("", views.sending, name="sending"),
    path("test-message/", views.test_message, name="sending-test"),
    path("resumption/", views.resumption, name="sending-resumption"),
]
