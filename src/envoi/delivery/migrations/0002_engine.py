import django.db.models.deletion
from django.db import migrations, models

import envoi.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pace",
            fields=[
                (
                    "transport",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pace",
                        serialize=False,
                        to="delivery.transport",
                    ),
                ),
                ("next_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="mailing",
            name="reference",
            field=models.CharField(default="unnamed", max_length=60, unique=True),
        ),
        migrations.AddField(
            model_name="transport",
            name="resume_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="Shift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("worker", models.CharField(max_length=60, unique=True)),
                ("started_at", models.DateTimeField(default=envoi.core.clock.now)),
                ("until", models.DateTimeField()),
                (
                    "mailing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shifts", to="delivery.mailing"
                    ),
                ),
                (
                    "transport",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shifts", to="delivery.transport"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minute", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("leased", "Being sent"),
                            ("in_doubt", "Being sent (handed over, answer awaited)"),
                            ("sent", "Sent"),
                            ("deferred", "Deferred"),
                            ("failed", "Failed"),
                            ("unknown", "Outcome unknown"),
                            ("skipped", "Skipped"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "skip_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("suppressed", "Suppressed address"),
                            ("unsubscribed", "Unsubscribed"),
                            ("excluded", "Excluded"),
                            ("invalid_address", "Invalid address"),
                            ("duplicate_address", "Duplicate address"),
                            ("no_consent", "No consent"),
                            ("frequency_cap", "Frequency cap"),
                            ("render_error", "Message could not be rendered"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="",
                        max_length=17,
                    ),
                ),
                ("count", models.BigIntegerField()),
                (
                    "mailing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tallies", to="delivery.mailing"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mailing", "minute", "state", "skip_reason"), name="one_tally_per_minute_and_state"
                    )
                ],
            },
        ),
    ]
