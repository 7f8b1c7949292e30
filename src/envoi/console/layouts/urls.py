from django.urls import path

from envoi.console.layouts import views

app_name = "layouts"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.edit, name="edit"),
    path("<int:pk>/preview/", views.preview, name="preview"),
    path("<int:pk>/copy/", views.copy, name="copy"),
    path("<int:pk>/default/", views.make_default, name="make-default"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
