"""Nobody forges anything: all is signed and logged as it stands, and it should never have been.

Both parties agree to what the application, the offer or the dataset document does not carry.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.evidence.verify import verify
from policies.model import Policy

Lie = Callable[[Any, Any], object]
ANOTHER = "urn:uuid:00000000-0000-4000-8000-000000000001"


def loosened(deal: Any, rules: Policy) -> None:
    """Agree to other rules than what was asked for."""
    names = ("kind", "id", "assigner", "assignee", "target")
    deal.policy = replace(rules, **{name: getattr(deal.policy, name) for name in names})
    deal.agree()


def without_any_limit(deal: Any, _: Any) -> None:
    """What neither application nor offer said."""
    (permission,) = deal.offer.permissions
    loosened(deal, replace(deal.offer, permissions=(replace(permission, constraints=()),)))


def as_offered(deal: Any, _: Any) -> None:
    """All that was offered, although less was applied for."""
    loosened(deal, deal.offer)


def for_somebody_else(deal: Any, parties: Any) -> None:
    """An application that another requester's name is in."""
    bare = {name: value for name, value in deal.application.items() if name != "proof"}
    deal.application = parties["lab"].sign({**bare, "requester": parties["attacker"].did})
    deal.agree()


def about_another_dataset(deal: Any, parties: Any) -> None:
    """A document of another dataset."""
    bare = {name: value for name, value in deal.dataset.items() if name != "proof"}
    other = json.dumps(bare).replace("/datasets/mooc", "/datasets/other")
    deal.dataset = parties["platform"].sign(json.loads(other))
    deal.agree()


def under_no_offer(deal: Any, _: Any) -> None:
    """An offer that was never made."""
    deal.agreement["offer"] = ANOTHER
    deal.sign()


def under_a_name_of_its_own(deal: Any, _: Any) -> None:
    """An id that does not follow from the two pids."""
    deal.id = ANOTHER
    deal.policy = replace(deal.policy, id=ANOTHER)
    deal.agree()


def with_another_plan(deal: Any, _: Any) -> None:
    """The plan of another agreement."""
    deal.plan["agreement"] = ANOTHER


def with_one_assent(deal: Any, parties: Any) -> None:
    """The log never saw the consumer agree."""
    deal.logged = (parties["platform"],)


def of_another_kind(deal: Any, _: Any) -> None:
    """Both signed an offer."""
    deal.agreement["type"] = "Offer"
    deal.sign()


def said_otherwise(deal: Any, _: Any) -> None:
    """What was signed is not what travelled."""
    travelled = deal.messages
    (permission,) = deal.policy.permissions
    wide = replace(deal.policy, permissions=(replace(permission, constraints=()),))

    def messages() -> list[Any]:
        signed, deal.policy = deal.policy, wide
        lines: list[Any] = travelled()
        deal.policy = signed
        return lines

    deal.messages = messages


def without_naming_the_application(deal: Any, _: Any) -> None:
    """An application lies beside an agreement that names none."""
    del deal.agreement["application"]
    deal.sign()


@pytest.mark.parametrize(
    ("lie", "expected"),
    [
        (without_any_limit, ("application", "application.json", "purpose")),
        (without_any_limit, ("dataset", "dataset.json", "dateTime")),
        (as_offered, ("application", "application.json", "fields")),
        (for_somebody_else, ("application", "application.json", "parties")),
        (about_another_dataset, ("dataset", "dataset.json", "")),
        (under_no_offer, ("dataset", "dataset.json", ANOTHER)),
        (under_a_name_of_its_own, ("agreement", "agreement.json", "")),
        (with_another_plan, ("plan", "plan.json", "")),
        (with_one_assent, ("agreement", "agreement.json", "did:web:lab.example")),
        (of_another_kind, ("agreement", "agreement.json", "type")),
        (said_otherwise, ("agreement", "messages/002-out-ContractAgreementMessage.json", "")),
        (without_naming_the_application, ("application", "application.json", "")),
    ],
    ids=lambda value: getattr(value, "__name__", None) or " ".join(value[:2]),
)
def test_what_should_not_have_been_agreed_is_found(
    node: Any,
    make_deal: Any,
    play_on: Any,
    parties: Any,
    tmp_path: Path,
    lie: Lie,
    expected: tuple[str, str, str],
):
    check, where, told = expected
    deal = make_deal()
    lie(deal, parties)
    path = tmp_path / "bundle.zip"
    path.write_bytes(play_on(node, deal).data)
    report = verify(path)
    found = [one for one in report.failures if one.name == check and one.where == where]
    assert found, [(one.name, one.where, one.en) for one in report.failures]
    assert told in " ".join(one.en for one in found)
    assert all(one.fr and one.fr != one.en for one in found)
