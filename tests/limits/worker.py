"""A worker that asks the gate for slots, in a process of its own, by the clock of whoever conducts it.

Reads commands from standard input, one JSON object a line: `now` (ISO), `rows` to let through. Answers each with the
moments at which the rows may leave, in seconds after `now`.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

import django

django.setup()

from envoi.core import clock  # noqa: E402
from envoi.delivery.composers import Leased  # noqa: E402
from envoi.delivery.limits import gate as gates  # noqa: E402
from envoi.delivery.models import Mailing  # noqa: E402


def main(reference: str) -> None:
    gates.elapsed = lambda: 0.0  # type: ignore[attr-defined]
    mailing = Mailing.objects.select_related("identity__transport").get(reference=reference)
    gate = gates.Gate(mailing, mailing.identity.transport, reference)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        now = datetime.fromisoformat(asked["now"])
        people = [Leased(at, "", "", f"p{at}@example.org", None, 0, now) for at in range(asked["rows"])]
        found: list[float] = []
        with clock.set_to(now):
            while people and (admission := gate.admit(people, 100)).go:
                found += [moment for _, moment in admission.go]
                people = people[len(admission.go) :]
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
