"""Values of resources under the name by which custom policies import them; see docs/policies.md."""

from fleetform.hcl.eval.values import UNKNOWN, Path, Unknown
from fleetform.hcl.eval.values import Value as Known

__all__ = ["UNKNOWN", "Known", "Path", "Unknown"]
