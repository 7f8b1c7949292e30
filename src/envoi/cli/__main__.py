"""`python -m envoi.cli` is `envoi`."""

import sys

from envoi.cli import main

sys.exit(main())
