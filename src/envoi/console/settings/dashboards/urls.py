from django.urls import path

from envoi.console.settings.dashboards import views

urlpatterns = [
    path("", views.dashboards, name="dashboards"),
    path("new/", views.new, name="site-key-new"),
    path("<int:pk>/", views.site, name="site-key"),
    path("<int:pk>/revocation/", views.revocation, name="site-key-revocation"),
]
