"""A PostgreSQL that does not answer a worker: an event that is waited for and told of in one line, and no fault."""

from __future__ import annotations

import logging

import psycopg

# Who tells of a worker's trouble: procrastinate, and asyncio of what nobody waited for.
TELLING = ("procrastinate.utils", "procrastinate.worker", "procrastinate.worker.worker", "asyncio")


def is_absence(error: BaseException) -> bool:
    """Whether the server did not answer, took nobody in or was stopped; everything else is a fault of ours."""
    return isinstance(error.__cause__ or error, psycopg.OperationalError)


def is_forgotten(error: BaseException) -> bool:
    """Whether this worker's row is gone: others took it for dead while it could not reach the database."""
    return isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation)


def words_of(error: BaseException) -> str:
    """The database's own, in one line; procrastinate says only that there was an error."""
    return " ".join(str(error.__cause__ or error).split())


def tell_in_one_line() -> None:
    """From now on, for this process."""
    for name in TELLING:
        logging.getLogger(name).addFilter(in_one_line)


def in_one_line(record: logging.LogRecord) -> bool:
    """Take the traceback off what tells of an absent database; everything else keeps its own."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and is_absence(error):
        record.msg, record.args = "The task queue does not answer, its work waits: %s", (words_of(error),)
        record.exc_info = record.exc_text = None
    return True
