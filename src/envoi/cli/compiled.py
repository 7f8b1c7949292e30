"""Whether what runs for every message is compiled (docs/decisions/0015)."""

from __future__ import annotations

from envoi.delivery.smtp import connection

HOW = "Install a C compiler and start Envoi again from its folder. Debian: apt-get install gcc python3-dev"


def is_compiled() -> bool:
    return not str(connection.__file__).endswith(".py")
