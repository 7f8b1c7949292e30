"""`python -m envoi.delivery.sandbox`: run the sandbox mailbox alone."""

import sys

from envoi.delivery.sandbox.server import run

sys.exit(run())
