"""From an agreement to what it means for one dataset: the compiler and its result.

`compile` makes a `Plan`, once for an agreement; its digest is logged before the first byte leaves.
`residue` is what is left of the policy for each row, `facts` what a plan makes true. Everything
here is pure: which lanes and columns a node can really run is the node's to say.
"""

from policies.plan import residue
from policies.plan.compiling import compile, facts  # noqa: A004  (called as plan.compile)
from policies.plan.dataset import BASES, DatasetFacts
from policies.plan.document import NO_ROWS, NOT_MEASURED, Plan
from policies.plan.duties import PlanDuty, Trigger
from policies.plan.fields import Codebook, Field, PlanField, Removal, tells_more
from policies.plan.folding import specialise
from policies.plan.needs import Needs, needs
from policies.plan.rows import RECORD_TIME, ConsentScope, Rows
from policies.plan.treatments import Aggregates, Budgets, Lane, Precision, Treatments

__all__ = [
    "BASES",
    "NOT_MEASURED",
    "NO_ROWS",
    "RECORD_TIME",
    "Aggregates",
    "Budgets",
    "Codebook",
    "ConsentScope",
    "DatasetFacts",
    "Field",
    "Lane",
    "Needs",
    "Plan",
    "PlanDuty",
    "PlanField",
    "Precision",
    "Removal",
    "Rows",
    "Treatments",
    "Trigger",
    "compile",
    "facts",
    "needs",
    "residue",
    "specialise",
    "tells_more",
]
