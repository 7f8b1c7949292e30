"""`envoi user`: add somebody, or let somebody in again who lost the password. Works without the web server."""

from __future__ import annotations

import argparse

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from envoi.accounts.actions import users
from envoi.accounts.models import Role, User
from envoi.cli.faults import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="add|reset|list")
    add = commands.add_parser("add", help="add a user and print a one-time password")
    add.add_argument("email")
    add.add_argument("--role", choices=Role.values, default=Role.OWNER, help="default: owner")
    add.add_argument("--name", default="")
    reset = commands.add_parser("reset", help="print a new one-time password for a user")
    reset.add_argument("email")
    commands.add_parser("list", help="who may sign in")


def run(args: argparse.Namespace) -> int:
    if args.what == "add":
        return add(args.email, args.name, args.role)
    if args.what == "reset":
        return reset(args.email)
    for user in User.objects.order_by("email"):
        print(f"{user.email}  {user.role}{'' if user.is_active else '  (may not sign in)'}")
    return 0


def add(email: str, name: str, role: str) -> int:
    try:
        validate_email(email)
        user, password = users.add(email, name=name, role=role, actor=None)
    except ValidationError as error:
        raise Stop(f"“{email}” is not an e-mail address.") from error
    except users.AddressTaken as error:
        raise Stop(f"{email} is a user already; “envoi user reset {email}” gives a new password.") from error
    print(f"{user.email} may sign in as {user.role} with the one-time password {password}")
    return 0


def reset(email: str) -> int:
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise Stop(f"nobody signs in as {email}; “envoi user list” shows who does.")
    print(f"One-time password of {user.email}: {users.reset_password(user, actor=None)}")
    if not user.is_active:
        print("This user may not sign in at present; an owner can let them in under Settings, Users.")
    return 0
