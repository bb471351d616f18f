"""Prints what planned/ and refused/ come to."""
import json, pprint
def test_show(planned, refusals):
    for k in ("ingress","internal_ingress","balanced"):
        print("=====",k); pprint.pprint({a:v for a,v in planned[k].items() if not any(x in a for x in ("iam","task_definition","log_group","terraform_data"))}, width=110)
    print("===== autoscaled"); pprint.pprint(list(planned["autoscaled"]))
    for r in sorted(f"{r.call}: {r.message}" for r in refusals): print("R", r)
