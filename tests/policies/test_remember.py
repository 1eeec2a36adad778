"""What is remembered of values that never change."""

from policies import remember
from policies.model import Constraint, iri
from policies.remember import Found, by_identity


def part(name: str = "urn:a") -> Constraint:
    return Constraint("urn:left", "urn:operator", (iri(name),))


def test_it_is_made_once_for_each_part_and_rest():
    made = []

    @by_identity
    def told(one: Constraint, lang: str) -> str:
        made.append((one, lang))
        return f"{one.left} {lang}"

    first, equal = part(), part()
    assert [told(first, "fr"), told(first, "fr"), told(first, "en")] == [
        "urn:left fr",
        "urn:left fr",
        "urn:left en",
    ]
    assert told(equal, "fr") == "urn:left fr"
    assert len(made) == 3


def test_what_was_found_is_known_by_identity_until_it_is_forgotten():
    found, one, equal = Found(), part(), part()
    assert one not in found
    found.update((one, part("urn:b")))
    assert one in found
    assert equal not in found
    remember.forget()
    assert one not in found
