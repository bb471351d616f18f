"""Regenerates all golden files; review the difference before it is committed."""

from tests.catalog import bad
from tests.compose import golden
from tests.golden import CASES, regenerate
from tests.pipelines import regenerate as regenerate_pipelines

for case in CASES:
    regenerate(case)
golden.regenerate()
bad.regenerate()
regenerate_pipelines()
