import pytest

from envoi.accounts.models import AuditEntry, Role, User
from envoi.instance import actions

pytestmark = pytest.mark.django_db


def test_ada_changes_settings_and_the_log_says_who_and_from_what_to_what() -> None:
    ada = User.objects.create_user("ada@example.org", "correct horse battery", name="Ada", role=Role.OWNER)
    actions.change({"organisation_name": "Räksmörgås AB", "time_zone": "UTC"}, actor=ada)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb) == (ada, "change_settings")
    assert entry.details == {"organisation_name": {"before": "", "after": "Räksmörgås AB"}}


def test_storing_what_stands_already_leaves_no_trace() -> None:
    actions.change({"time_zone": "UTC"}, actor=None)
    assert not AuditEntry.objects.exists()
