import pytest
from allauth.mfa.models import Authenticator

from envoi.accounts import queries
from envoi.accounts.actions import users
from envoi.accounts.models import AuditEntry, Role, User
from envoi.accounts.tests.factories import a_user

pytestmark = pytest.mark.django_db


def verbs() -> list[str]:
    return [entry.verb for entry in AuditEntry.objects.order_by("pk")]


def test_ada_adds_bob_who_must_choose_his_own_password() -> None:
    ada = a_user()
    bob, password = users.add("Bob@Example.org", name="Bob", role=Role.EDITOR, actor=ada)
    assert (bob.email, bob.role, bob.must_change_password) == ("bob@example.org", Role.EDITOR, True)
    assert bob.check_password(password)
    assert password not in str(AuditEntry.objects.values())
    assert verbs() == ["add_user"]


def test_an_address_signs_in_once_however_it_is_written() -> None:
    ada = a_user()
    with pytest.raises(users.AddressTaken):
        users.add(" ADA@example.org ", actor=ada)
    assert User.objects.count() == 1
    assert verbs() == []


def test_one_time_passwords_differ_and_avoid_letters_that_look_alike() -> None:
    made = {users.one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert not set("01oil") & set("".join(made))


@pytest.mark.parametrize(
    "what", [lambda ada: users.change_role(ada, Role.VIEWER, actor=ada), lambda ada: users.deactivate(ada, actor=ada)]
)
def test_the_last_owner_stays(what) -> None:  # type: ignore[no-untyped-def]
    ada = a_user()
    a_user("chloe@example.org", is_active=False)
    a_user("bob@example.org", role=Role.EDITOR)
    with pytest.raises(users.LastOwner):
        what(ada)
    ada.refresh_from_db()
    assert (ada.role, ada.is_active) == (Role.OWNER, True)
    assert verbs() == []


def test_one_of_two_owners_may_leave() -> None:
    ada, bob = a_user(), a_user("bob@example.org")
    users.deactivate(ada, actor=bob)
    ada.refresh_from_db()
    assert not ada.is_active
    users.activate(ada, actor=bob)
    users.change_role(bob, Role.EDITOR, actor=ada)
    bob.refresh_from_db()
    assert bob.role == Role.EDITOR
    assert verbs() == ["deactivate_user", "activate_user", "change_role"]


def test_what_is_so_already_is_not_written_down() -> None:
    ada = a_user()
    users.change_role(ada, Role.OWNER, actor=ada)
    users.activate(ada, actor=ada)
    assert verbs() == []


def test_a_new_one_time_password_replaces_the_old_one() -> None:
    ada, bob = a_user(), a_user("bob@example.org", role=Role.VIEWER)
    password = users.reset_password(bob, actor=ada)
    bob.refresh_from_db()
    assert bob.must_change_password
    assert bob.check_password(password)
    assert not bob.check_password("correct horse battery")
    assert verbs() == ["reset_password"]


def test_bob_who_lost_his_telephone_signs_in_with_his_password_again() -> None:
    ada, bob = a_user(), a_user("bob@example.org", role=Role.VIEWER)
    for person in (ada, bob):
        Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    users.remove_second_factors(bob, actor=ada)
    users.remove_second_factors(bob, actor=ada)
    assert {user.email: user.second_factor for user in queries.users()} == {  # type: ignore[attr-defined]
        "ada@example.org": True,
        "bob@example.org": False,
    }
    assert bob.check_password("correct horse battery")
    assert verbs() == ["remove_second_factors"]
