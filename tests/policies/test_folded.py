"""Right operands that an EDC keeps as the text of their JSON."""

import pytest

from policies import folded, odrl
from policies.naming import rules_digest

PURPOSE = "https://w3id.org/preau/ns#EducationResearch"
OTHER = "https://w3id.org/dpv#AcademicResearch"


def offer(right: object) -> dict[str, object]:
    constraint = {"leftOperand": "odrl:purpose", "operator": "isAnyOf", "rightOperand": right}
    return {
        "@id": "o",
        "@type": "Offer",
        "permission": [{"action": "use", "constraint": [constraint]}],
    }


@pytest.mark.parametrize(
    ("published", "echoed"),
    [
        ([{"@id": PURPOSE}], f'{{"@id":"{PURPOSE}"}}'),
        ([{"@id": PURPOSE}, {"@id": OTHER}], f'[{{"@id":"{PURPOSE}"}},{{"@id":"{OTHER}"}}]'),
        ([{"@value": "a"}, {"@value": "b"}], '[{"@value":"a"},{"@value":"b"}]'),
    ],
)
def test_an_echo_says_what_was_published(published: object, echoed: str):
    assert rules_digest(odrl.read(offer(published))) == rules_digest(odrl.read(offer(echoed)))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        "[1]",
        '{"@id":"x","more":1}',
        '{"id":"x"}',
        '[{"@id":"x"},"y"]',
        "plain",
        " {}",
        '{"@id":NaN}',
    ],
)
def test_any_other_text_stays_a_text(text: str):
    assert folded.value(text) == text


def test_only_right_operands_are_unfolded():
    text = f'{{"@id":"{PURPOSE}"}}'
    found = folded.unfolded({**offer(text), "assigner": text})
    assert found == {**offer({"@id": PURPOSE}), "assigner": text}


def test_operands_of_others_that_say_what_ours_say():
    def dated(left: str) -> str:
        constraint = {"leftOperand": left, "operator": "lt", "rightOperand": "2027-01-01T00:00:00Z"}
        permission = [{"action": "use", "constraint": [constraint]}]
        return rules_digest(odrl.read({"@type": "Offer", "permission": permission}))

    spelled = ("odrl:dateTime", "inForceDate", "https://w3id.org/edc/v0.0.1/ns/inForceDate")
    assert len({dated(left) for left in spelled}) == 1
    assert dated("inforcedate") != dated("inForceDate")
