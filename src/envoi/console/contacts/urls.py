from django.urls import path

from envoi.console.contacts import importing, people, selection, suppressions

app_name = "contacts"
urlpatterns = [
    path("", people.index, name="list"),
    path("new/", people.new, name="new"),
    path("export/", people.export, name="export"),
    path("fields/", people.further_fields, name="fields"),
    path("<int:pk>/", people.show, name="show"),
    path("<int:pk>/edit/", people.edit, name="edit"),
    path("<int:pk>/deletion/", people.deletion, name="deletion"),
    path("<int:pk>/suppression/", people.suppression, name="suppression"),
    path("selection/list/", selection.add_to_list, name="selection-list"),
    path("selection/deletion/", selection.deletion, name="selection-deletion"),
    path("suppressions/", suppressions.index, name="suppressions"),
    path("suppressions/new/", suppressions.new, name="suppression-new"),
    path("suppressions/export/", suppressions.export, name="suppressions-export"),
    path("suppressions/<int:pk>/lift/", suppressions.lift, name="suppression-lift"),
    path("imports/", importing.index, name="imports"),
    path("imports/new/", importing.new, name="import-new"),
    path("imports/<int:pk>/", importing.show, name="import"),
    path("imports/<int:pk>/reading/", importing.reading, name="import-reading"),
    path("imports/<int:pk>/progress/", importing.progress, name="import-progress"),
    path("imports/<int:pk>/cancellation/", importing.cancellation, name="import-cancellation"),
    path("imports/<int:pk>/problems/", importing.problems, name="import-problems"),
]
