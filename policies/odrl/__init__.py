"""The only room that knows how ODRL is spelled: JSON in, typed policy out, and back.

`read` accepts what peers really write: compact terms, `odrl:` and other known prefixes, full
IRIs, single objects for lists, `{"@id": …}` for names, plain strings for typed values; and all
that ODRL 2.2 can say: refinements, collections, remedies and consequences, several actions,
targets or parties in one rule, members shared by all rules, conflict strategies, inheritance.
What it reads is atomic: one action, target and party for each rule (ODRL 2.2 section 2.7).

It never makes a poorer policy: whatever could change the meaning and is not understood is a
`Problem` that names the place, what was expected and what to do. An *operand or action* nobody
knows is kept: it can be shown, sent back, and evaluates to `undetermined`. As a bare word (the
protocol's own examples have some) it names nothing outside its document, so it is kept under
`BARE`, a name that nobody will ever register.

`wire` writes the form of the Dataspace Protocol 2025-1 (contract-schema.json): actions and
operands as strings, ODRL terms with the `odrl:` prefix, values as `{"@id"}` or
`{"@value", "@type"}`, rules and constraints in the order received, empty arrays omitted.
"""

from policies.naming import document, name, node, rules_digest, same
from policies.odrl.reading import read
from policies.odrl.words import BARE, term
from policies.odrl.writing import wire

__all__ = ["BARE", "document", "iri", "name", "node", "read", "rules_digest", "same", "wire"]


def iri(text: str) -> str:
    """The full IRI that a full or prefixed spelling stands for.

    Raises:
        Problem: `policy-relative-name`, when it stands for none.
    """
    return term(text, "iri", frozenset())
