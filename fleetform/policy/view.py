"""The resource view under the name by which custom policies import it; see docs/policies.md."""

from fleetform.hcl.eval.resource_view import Resource, View

__all__ = ["Resource", "View"]
