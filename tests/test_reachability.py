"""Who reaches whom, computed from rules alone, is what the catalog says."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fleetform import topology
from fleetform.applied import AppliedRule
from fleetform.catalog.models import Environment
from fleetform.reachability import differences
from tests import graphs
from tests.graphs import environments, reached

few = settings(max_examples=200)


@few
@given(environments())
def test_every_call_is_possible_and_nothing_else_whatever_the_graph(made: Environment) -> None:
    assert differences(made, reached(made, graphs.rules(made))) == ()


@few
@given(environments(), st.data())
def test_a_rule_that_is_missing_closes_a_way(made: Environment, data: st.DataObject) -> None:
    rules = graphs.rules(made)
    assume(graphs.needed(rules))
    missing = data.draw(st.sampled_from(graphs.needed(rules)))
    assert differences(made, reached(made, rules - {missing})) != ()


@few
@given(environments(), st.data())
def test_a_call_that_nobody_declared_is_told(made: Environment, data: st.DataObject) -> None:
    caller, callee = (data.draw(st.sampled_from(sorted(made.services))) for _ in range(2))
    added = {
        AppliedRule("egress", caller, "tcp", 22, 22, peer=callee),
        AppliedRule("ingress", callee, "tcp", 22, 22, peer=caller),
    }
    found = differences(made, reached(made, graphs.rules(made) | added))
    assert found == (f"{caller}->{callee}:22/tcp is open and not declared",)


@few
@given(environments())
def test_no_two_rules_of_a_direction_open_the_same(made: Environment) -> None:
    """EC2 refuses a rule that is there already, whatever its description."""
    for side in ("ingress", "egress"):
        planned = topology.security_groups(made)
        found = [graphs.applied(side, rule) for rule in getattr(planned, side).values()]
        assert len(set(found)) == len(found)
