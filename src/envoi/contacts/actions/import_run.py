"""Take the rows of a file: first read it through, then write batch by batch.

Guarantees: a file that cannot be read to its end leaves nothing behind. How far the import is stands in the transaction
of each batch, so one that was killed goes on where it stopped, and its counts are those of an undisturbed run. A batch
of 1,000 rows costs a fixed number of statements. Erased addresses never come back; suppressed ones are kept up to date
but subscribed to nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from envoi.contacts.actions.imports import forget_file, opened
from envoi.contacts.events import ContactsTaken
from envoi.contacts.importing.people import Person, Problem, Reader
from envoi.contacts.importing.records import Record, Unreadable, rows
from envoi.contacts.models import Contact, FieldDefinition, Import, ImportProblem, Suppression
from envoi.contacts.queries import suppressed_among
from envoi.contacts.values import TEXT_FIELDS
from envoi.core import clock, events

BATCH = 1000
# Rows with a problem are counted all, but listed only so far: a wrong file must not fill the database.
MOST_PROBLEMS = 10_000
CHECK_EVERY = 20_000
WRITTEN = ["address", *TEXT_FIELDS, "fields", "search_text", "updated_at"]


class _Overtaken(Exception):
    """Another worker took this batch, or the import was cancelled: nothing of the batch is written."""


@dataclass(slots=True)
class Batch:
    """What comes of some rows, before it is written."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    contacts: dict[str, Contact] = field(default_factory=dict)
    to_write: dict[str, Contact] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)


def work(import_id: int, *, seconds: float, told: Callable[[Import], None] = lambda of: None) -> bool:
    """Go on with an import for about `seconds`; whether rows are left.

    A file that cannot be read ends the import as failed, with the reason on it. Each call reads the file again up to
    its place, so calls should be few. What is wrong with rows is written down in the language of whoever chose the
    file.

    Args:
        told: called after each batch.
    """
    of = Import.objects.select_related("created_by").get(pk=import_id)
    if of.status not in {Import.Status.QUEUED, Import.Status.RUNNING}:
        return False
    language = of.created_by.language if of.created_by else ""
    with translation.override(language) if language else nullcontext():
        return _work(of, seconds, told)


def _work(of: Import, seconds: float, told: Callable[[Import], None]) -> bool:
    Import.objects.filter(pk=of.pk, status=Import.Status.QUEUED).update(status=Import.Status.RUNNING)
    try:
        if of.total is None and not _check(of):
            return False
        if _take_rows(of, time.monotonic() + seconds, told):
            return True
    except _Overtaken:
        return False
    except Unreadable as error:
        _end(of, Import.Status.FAILED, str(error))
        return False
    _end(of, Import.Status.FINISHED)
    return False


def reader_for(of: Import) -> Reader:
    definitions = {definition.key: definition for definition in FieldDefinition.objects.all()}
    return Reader(of.columns, _still_there(of.mapping, definitions), definitions)


def read(reader: Reader, records: Sequence[Record]) -> Batch:
    """The people in `records`, and the rows with problems; asks no database."""
    batch = Batch()
    for record in records:
        found = reader.person(record)
        if isinstance(found, Problem):
            batch.problems.append(found)
        else:
            batch.people.append(found)
    return batch


def decide(of: Import, batch: Batch) -> Batch:
    """What comes of the people, each as if the ones before were written already; reads, writes nothing."""
    keys = {person.key for person in batch.people}
    held = suppressed_among(keys)
    batch.suppressed = set(held)
    batch.contacts = {row.address_key: row for row in Contact.objects.filter(kind=of.kind, address_key__in=keys)}
    for person in batch.people:
        if held.get(person.key) == Suppression.Reason.ERASED:
            reason = _("This person asked to be erased; the address is not taken again.")
            batch.problems.append(Problem(person.line, "", person.address, reason))
        else:
            _merge(batch, of, person)
    batch.counts["rejected"] = len(batch.problems)
    return batch


def _merge(batch: Batch, of: Import, person: Person) -> None:
    batch.counts["suppressed"] += person.key in batch.suppressed
    contact = batch.contacts.get(person.key)
    if contact is None:
        batch.counts["created"] += 1
        contact = Contact(kind=of.kind, address=person.address, address_key=person.key, created_at=clock.now())
        batch.contacts[person.key] = contact
    elif not of.update_existing or not _differs(contact, person):
        batch.counts["unchanged"] += 1
        return
    else:
        batch.counts["updated"] += 1
    for name, value in person.values.items():
        setattr(contact, name, value)
    contact.fields = {**contact.fields, **person.further}
    batch.to_write[person.key] = contact


def _differs(contact: Contact, person: Person) -> bool:
    return any(getattr(contact, name) != value for name, value in person.values.items()) or any(
        contact.fields.get(key) != value or type(contact.fields.get(key)) is not type(value)
        for key, value in person.further.items()
    )


def _check(of: Import) -> bool:
    """Read the whole file once and count its rows, so that a fault on its last line is known before the first row is
    taken. Whether the import goes on."""
    count = 0
    with opened(of) as stream:
        for count, _record in enumerate(rows(stream, of.encoding, of.delimiter, of.skip), start=1):
            if count % CHECK_EVERY == 0 and not _still_running(of, position=stream.tell(), touched_at=clock.now()):
                return False
    of.total = count
    return _still_running(of, position=of.size, total=count)


def _still_running(of: Import, **changes: Any) -> bool:
    return bool(Import.objects.filter(pk=of.pk, status=Import.Status.RUNNING).update(**changes))


def _take_rows(of: Import, until: float, told: Callable[[Import], None]) -> bool:
    reader = reader_for(of)
    with opened(of) as stream:
        left = islice(rows(stream, of.encoding, of.delimiter, of.skip), of.rows, None)
        while batch := list(islice(left, BATCH)):
            _take_batch(of, reader, batch)
            told(of)
            if time.monotonic() > until:
                return of.rows < (of.total or 0)
    return False


def _take_batch(of: Import, reader: Reader, records: Sequence[Record]) -> None:
    batch = read(reader, records)
    with transaction.atomic():
        decide(of, batch)
        # The row count is the claim: of two workers with the same batch, one changes no row here and writes nothing.
        claimed = Import.objects.filter(pk=of.pk, status=Import.Status.RUNNING, rows=of.rows).update(
            rows=of.rows + len(records),
            touched_at=clock.now(),
            **{name: F(name) + count for name, count in batch.counts.items()},
        )
        if not claimed:
            raise _Overtaken
        _write(of, batch)
    of.rows += len(records)


def _write(of: Import, batch: Batch) -> None:
    now = clock.now()
    # In one order everywhere: two imports that write the same people must not wait for each other in a circle.
    # Copies without primary key: an upsert by (kind, address_key) must not meet a second unique column.
    Contact.objects.bulk_create(
        [_without_key(contact, now) for _key, contact in sorted(batch.to_write.items())],
        update_conflicts=True,
        unique_fields=["kind", "address_key"],
        update_fields=WRITTEN,
    )
    room = max(0, MOST_PROBLEMS - of.rejected)
    ImportProblem.objects.bulk_create(
        ImportProblem(of=of, line=row.line, column=row.column[:200], value=row.value[:300], reason=row.reason[:400])
        for row in sorted(batch.problems, key=lambda row: row.line)[:room]
    )
    of.rejected += len(batch.problems)
    taken = [key for key in batch.contacts if key not in batch.suppressed]
    ids = list(Contact.objects.filter(kind=of.kind, address_key__in=taken).values_list("id", flat=True))
    events.announce(ContactsTaken(of.pk, ids))


def _without_key(contact: Contact, now: Any) -> Contact:
    fields = {name: getattr(contact, name) for name in (*WRITTEN, "kind", "address_key", "created_at")}
    made = Contact(**{**fields, "updated_at": now})
    made.search_text = made.searchable()
    return made


def _end(of: Import, status: str, problem: str = "") -> None:
    if _still_running(of, status=status, problem=problem, finished_at=clock.now()):
        forget_file(of)


def _still_there(mapping: dict[str, str], definitions: dict[str, FieldDefinition]) -> dict[str, str]:
    """Without columns whose further field was removed meanwhile."""
    return {
        number: name
        for number, name in mapping.items()
        if not name.startswith("field:") or name.removeprefix("field:") in definitions
    }
