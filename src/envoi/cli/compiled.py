"""Whether what runs for every message is compiled (docs/decisions/0015)."""

from __future__ import annotations

from envoi.delivery.smtp import connection

HOW = "With a C compiler there Envoi is built again as compiled. Debian: apt-get install gcc python3-dev"


def is_compiled() -> bool:
    return not str(connection.__file__).endswith(".py")
