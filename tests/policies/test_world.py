"""What an evaluation knows: where each fact comes from, and who belongs to what."""

from typing import Any

import pytest

from policies import odrl
from policies.application import Application, read
from policies.evaluate import Fact, category, claims, groups
from policies.model import iri
from policies.vocabulary import DPV, ODRL, PREAU
from policies.world import NOTHING, PERFORMED, World, belongs, memberships

LOC = "https://w3id.org/dpv/loc#"


def test_what_an_application_claims(application: Application):
    places = Fact((iri(LOC + "FR"),), "application", "declared")
    assert claims(application) == {
        ODRL + "purpose": Fact((iri(application.purpose),), "application", "declared"),
        PREAU + "recipientCountry": places,
        PREAU + "processingLocation": places,
        ODRL + "spatial": places,
    }


def test_an_application_that_declares_no_country_claims_none(asked: dict[str, Any]):
    assert claims(read({**asked, "processors": []})).keys() == {ODRL + "purpose"}


def test_what_a_dataset_declares_and_a_peer_list_says():
    assert category(personal=True) == Fact((iri(DPV + "PersonalData"),), "dataset", "declared")
    assert category(personal=False).values == (iri(DPV + "NonPersonalData"),)
    found = groups(["schools", "labs"])
    assert found == Fact((iri("group:labs"), iri("group:schools")), "peer-list", "declared")


def test_a_fact_of_which_nothing_is_said_is_declared_by_somebody():
    assert Fact(()) == Fact((), "", "declared", None, None)
    assert PERFORMED == PREAU + "performed"
    assert (NOTHING.records, NOTHING.members) == (None, {})


MEMBERS = {"a": ("b", "c"), "c": ("d",), "d": ("a", "e")}


@pytest.mark.parametrize(
    ("part", "whole", "inside"),
    [
        ("a", "a", True),
        ("x", "x", True),
        ("a", "b", True),
        ("a", "e", True),
        ("c", "b", True),  # through a circle
        ("b", "a", False),
        ("a", "x", False),
    ],
)
def test_membership_goes_through_any_number_of_steps(part: str, whole: str, inside: bool):
    assert belongs(part, whole, MEMBERS) is inside


def test_a_policy_says_itself_who_is_in_what():
    album = {"@type": "AssetCollection", "source": "urn:photos", "@id": "urn:album"}
    part = {"@id": "urn:data", "partOf": ["urn:shelf", "urn:room"]}
    policy = odrl.read(
        {
            "@type": "Set",
            "permission": [{"action": "use", "target": album}],
            "prohibition": [{"action": "odrl:sell", "target": part}],
        }
    )
    known = World(members={"urn:data": ("urn:box",)})
    assert memberships(policy, known) == {
        "urn:photos": ("urn:album",),
        "urn:data": ("urn:box", "urn:room", "urn:shelf"),
    }
