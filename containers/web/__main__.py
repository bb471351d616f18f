"""``python3 -m web`` runs the service."""

import sys

from common.process import run

from web.service import build

sys.exit(run("web", build))
