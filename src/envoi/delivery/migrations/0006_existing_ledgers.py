"""Ledgers written before rows were leased in ranges: note each mailing's range, and end what the old leases left open.

Migrations run while no worker does. A row that was leased surely was not offered; one about to be sent may have been.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, Max, Min
from django.utils import timezone


def note_ranges(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    delivery, mailing = apps.get_model("delivery", "Delivery"), apps.get_model("delivery", "Mailing")
    ranges = delivery.objects.filter(mailing__last_id=0).values("mailing").annotate(first=Min("pk"), last=Max("pk"))
    for found in ranges.order_by():
        mailing.objects.filter(pk=found["mailing"]).update(first_id=found["first"], last_id=found["last"])


def end_old_leases(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    now = timezone.now()
    rows = apps.get_model("delivery", "Delivery").objects
    rows.filter(state="leased").update(state="pending", state_at=now)
    doubtful = rows.filter(state="in_doubt")
    for found in doubtful.values_list("mailing").distinct().order_by():
        of_mailing = doubtful.filter(mailing=found[0])
        tally, _ = apps.get_model("delivery", "Tally").objects.get_or_create(
            mailing_id=found[0],
            minute=now.replace(second=0, microsecond=0),
            state="unknown",
            skip_reason="",
            defaults={"count": 0},
        )
        number = of_mailing.update(state="unknown", retry_at=now + timedelta(hours=72), state_at=now)
        type(tally).objects.filter(pk=tally.pk).update(count=F("count") + number)


class Migration(migrations.Migration):
    dependencies = [("delivery", "0005_range_leases")]

    operations = [
        migrations.RunPython(note_ranges, migrations.RunPython.noop),
        migrations.RunPython(end_old_leases, migrations.RunPython.noop),
    ]
