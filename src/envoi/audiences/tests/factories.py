"""Lists and products for tests."""

from __future__ import annotations

from envoi.audiences.actions import lists, products
from envoi.audiences.models import List, Membership, Product
from envoi.contacts.models import Contact


def make_list(name: str, *people: Contact) -> List:
    made = lists.create(name, actor=None)
    lists.add(made, Contact.objects.filter(pk__in=[person.pk for person in people]), actor=None)
    return made


def make_product(name: str, *people: Contact, status: str = Membership.Status.ACTIVE) -> Product:
    made = products.create(name, actor=None)
    products.add(made, Contact.objects.filter(pk__in=[person.pk for person in people]), status, actor=None)
    return made
