from django.urls import path

from envoi.console.sandbox import views

app_name = "sandbox"

urlpatterns = [
    path("", views.index, name="list"),
    path("deletion/", views.delete_all, name="deletion"),
    path("<int:pk>/", views.show, name="message"),
    path("<int:pk>/document/", views.document, name="document"),
    path("<int:pk>/message.eml", views.download, name="download"),
    path("<int:pk>/deletion/", views.delete, name="message-deletion"),
]
