"""`envoi migrate`: bring the database up to date. Safe to run again after it was killed half-way."""

from __future__ import annotations

import argparse

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when something is to be done")


def run(args: argparse.Namespace) -> int:
    missing = pending()
    if args.check or not missing:
        print(f"{len(missing)} migrations to apply." if missing else "The database is up to date.")
        return 1 if missing else 0
    migrate()
    print(f"The database is up to date; {len(missing)} migrations were applied.")
    return 0


def pending() -> list[str]:
    """Migrations that the database does not have yet."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
