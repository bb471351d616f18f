"""``python3 -m stock`` runs the service."""

import sys

from common.process import run

from stock.service import build

sys.exit(run("stock", build))
