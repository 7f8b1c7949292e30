from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from envoi.content import default_layout


def install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    layouts = apps.get_model("content", "Layout").objects
    if not layouts.filter(is_default=True).exists():
        layouts.get_or_create(
            name=default_layout.NAME,
            defaults={"html": default_layout.html(), "text": default_layout.text(), "is_default": True},
        )


class Migration(migrations.Migration):
    dependencies = [("content", "0001_initial")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
