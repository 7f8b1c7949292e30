"""Version 1 of what dashboards ask: what stands here stays."""

from django.urls import path

from envoi.public.notices import script, views

urlpatterns = [
    path("notices", views.shown, name="notices"),
    path("notices/seen", views.seen, name="notices-seen"),
    path("notices/<slug:key>/dismissal", views.dismissal, name="notice-dismissal"),
    path("notices/<slug:key>/acknowledgement", views.acknowledgement, name="notice-acknowledgement"),
    path("notices/<slug:key>/clicks", views.clicks, name="notice-clicks"),
    path("notices.js", script.script, name="notices-script"),
]
