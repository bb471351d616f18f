"""``python3 -m orders`` runs the service."""

import sys

from common.process import run

from orders.service import build

sys.exit(run("orders", build))
