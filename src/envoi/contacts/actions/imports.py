"""Files of contacts on their way in: received, matched, queued, cancelled. `import_run.py` takes their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.contacts.actions import fields, import_files
from envoi.contacts.importing import columns, detect
from envoi.contacts.importing.people import FURTHER
from envoi.contacts.importing.records import Unreadable
from envoi.contacts.models import FieldDefinition, Import, Kind
from envoi.contacts.values import TEXT_FIELDS
from envoi.core import clock
from envoi.core.tasks import later

UNMATCHED = timedelta(days=7)
STANDSTILL = timedelta(minutes=10)


class NotNow(ValueError):
    """The import is in no state for this; the message says so, for a person."""


class WrongMapping(ValueError):
    """The columns are not matched to fields as they must be; the message says what to do."""


@contextmanager
def opened(of: Import) -> Iterator[BinaryIO]:
    """The stored file.

    Raises:
        Unreadable: it is not there any more.
    """
    with import_files.opened(of.stored_as, of.size) as file:
        yield file


def receive(pieces: Iterable[bytes], file_name: str, *, actor: User | None) -> Import:
    """Keep an uploaded file and look at it: encoding, delimiter, columns and a guess what they are.

    Raises:
        Unreadable: it is no CSV file, or the database does not take it; nothing is kept then.
    """
    stored_as, size = import_files.keep(pieces)
    try:
        with import_files.opened(stored_as, size) as stream:
            shape = detect.shape(stream)
        if not shape.sample and size < detect.SAMPLE:
            raise Unreadable(_("The file holds a header but no rows below it. Choose a file with contacts."))
        with transaction.atomic():
            made = Import(
                file_name=file_name.encode(errors="replace").decode()[-255:],
                stored_as=stored_as,
                size=size,
                created_by=actor,
            )
            _take_shape(made, shape)
            made.save()
            audit.record(actor, "import_receive", made, size=size)
    except BaseException:
        import_files.forget(stored_as)
        raise
    return made


def read_again(of: Import, *, encoding: str, delimiter: str, actor: User | None) -> Import:
    """Read the head of the file with another encoding or delimiter; the columns are guessed anew.

    Raises:
        NotNow: its rows are being taken already.
        Unreadable: it cannot be read so.
    """
    _must_wait(of)
    if encoding not in detect.ENCODINGS or delimiter not in detect.DELIMITERS:
        raise Unreadable(_("Choose an encoding and a delimiter from the lists."))
    with opened(of) as stream:
        shape = detect.shape(stream, encoding, delimiter)
    with transaction.atomic():
        _take_shape(of, shape)
        of.save(update_fields=["encoding", "delimiter", "skip", "columns", "mapping"])
        audit.record(actor, "import_read_again", of, encoding=encoding, delimiter=delimiter)
    return of


def start(
    of: Import,
    mapping: Mapping[str, str],
    *,
    kind: str = Kind.CONTACT,
    update_existing: bool = True,
    in_background: bool = True,
    actor: User | None,
) -> Import:
    """Queue the import. Whoever wants it to fill a list says so (`audiences`) in the same transaction.

    Args:
        in_background: a worker takes the rows; otherwise the caller does (`import_run.work`).
        mapping: number of the column (from 0, as text) → field, "field:<key>", or "new" for a further field made now.

    Raises:
        NotNow: it was started before.
        WrongMapping: no address, an unknown field, or one field twice.
    """
    _must_wait(of)
    check_mapping(of, mapping)
    with transaction.atomic():
        _switch(of, (Import.Status.MAPPING,), Import.Status.QUEUED)
        of.mapping = {number: _field(of, number, name, actor) for number, name in mapping.items()}
        of.kind, of.update_existing, of.touched_at = Kind(kind), update_existing, clock.now()
        of.save(update_fields=["mapping", "kind", "update_existing", "touched_at"])
        audit.record(actor, "import_start", of)
        if in_background:
            later("contacts.import_file", import_id=of.pk)
    return of


def cancel(of: Import, *, actor: User | None) -> None:
    """Stop the import; rows taken so far stay.

    Raises:
        NotNow: it is over.
    """
    with transaction.atomic():
        _switch(of, Import.OPEN, Import.Status.CANCELLED)
        Import.objects.filter(pk=of.pk).update(finished_at=clock.now())
        audit.record(actor, "import_cancel", of)
    forget_file(of)


def forget_file(of: Import) -> None:
    """Remove the stored file: personal data is kept no longer than needed."""
    import_files.forget(of.stored_as)


def discard(of: Import) -> None:
    """Forget a file that was only looked at."""
    of.delete()
    forget_file(of)


def tidy() -> int:
    """Give up files that nobody matched for a week, and wake imports that stand still; returns how many of both. What
    interrupted uploads left is removed, too.

    An import stands still when whoever took its rows is gone: a command line that was closed, a lost task.
    """
    now = clock.now()
    left = Import.objects.filter(status=Import.Status.MAPPING, created_at__lt=now - UNMATCHED)
    given_up = list(left[:1000])
    for of in given_up:
        cancel(of, actor=None)
    still = Import.objects.filter(
        status__in=(Import.Status.QUEUED, Import.Status.RUNNING), touched_at__lt=now - STANDSTILL
    )
    woken = list(still.values_list("pk", flat=True)[:100])
    for key in woken:
        later("contacts.import_file", import_id=key)
    import_files.forget_left_over()
    return len(given_up) + len(woken)


def check_mapping(of: Import, mapping: Mapping[str, str]) -> None:
    """Raises `WrongMapping` unless every field is known and named once, and the address is among them."""
    further = set(FieldDefinition.objects.values_list("key", flat=True))
    known = {"address", columns.FULL_NAME, columns.NEW_FIELD, *TEXT_FIELDS, *(f"{FURTHER}{key}" for key in further)}
    chosen = [name for name in mapping.values() if name != columns.NEW_FIELD]
    if any(name not in known for name in mapping.values()):
        raise WrongMapping(_("A column is matched to a field that does not exist. Choose again."))
    if any(not number.isdecimal() or int(number) >= len(of.columns) for number in mapping):
        raise WrongMapping(_("The file has no such column. Choose again."))
    if "address" not in chosen:
        raise WrongMapping(_("Say which column holds the e-mail address."))
    if len(chosen) != len(set(chosen)):
        raise WrongMapping(_("Two columns are matched to the same field. Choose another field for one of them."))
    if columns.FULL_NAME in chosen and {"first_name", "last_name"} & set(chosen):
        raise WrongMapping(_("Match either the full name or first and last name, not both."))


def _field(of: Import, number: str, name: str, actor: User | None) -> str:
    return f"{FURTHER}{fields.add(of.columns[int(number)], actor=actor).key}" if name == columns.NEW_FIELD else name


def _take_shape(of: Import, shape: detect.Shape) -> None:
    of.encoding, of.delimiter, of.skip, of.columns = shape.encoding, shape.delimiter, shape.skip, shape.columns
    labels = {definition.key: definition.label for definition in FieldDefinition.objects.all()}
    of.mapping = columns.guess(shape.columns, shape.sample, labels)


def _must_wait(of: Import) -> None:
    if of.status != Import.Status.MAPPING:
        raise NotNow(_("This import was started already."))


def _switch(of: Import, before: tuple[str, ...], after: str) -> None:
    if not Import.objects.filter(pk=of.pk, status__in=before).update(status=after):
        raise NotNow(_("This import was started or ended meanwhile."))
    of.status = after
