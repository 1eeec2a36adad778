"""What the stewards declare beside their files (FORMATS "About"), as TOML.

The traces rest on consent; the pupils' results on a public task, and show every declaration that a
table can need: dialect, subjects, the steward's word against the profiler's, special categories
with and without a condition of Article 9(2).
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from policies.vocabulary import DPV, PREAU

PURPOSE: Final = PREAU + "EducationResearch"
NARROWER: Final = PREAU + "LearningAnalyticsResearch"
IMPROVEMENT: Final = PREAU + "TeachingImprovement"
COMMERCIAL: Final = DPV + "CommercialResearch"
CATEGORY: Final = PREAU + "LearningTraces"
RESULTS: Final = DPV + "PersonalData"
PUPILS: Final = "https://academie.example/ine"
"""Namespace of the pupils' national numbers."""
NOTICE: Final = "https://campus.example/notices/research-2025"
GROUP: Final = "partners"


@dataclass(frozen=True, slots=True)
class About:
    """One declaration; `until` is an RFC 3339 instant, `decisions` the roles that must agree."""

    id: str
    fr: str
    en: str
    until: str
    decisions: tuple[str, ...] = ()
    group: str = field(default=GROUP)

    def write(self, path: Path) -> None:
        """Write the declaration."""
        path.write_text(self.toml(), encoding="utf-8")

    def toml(self) -> str:
        """The declaration as TOML."""
        lines = [
            f"id = {_text(self.id)}",
            'kind = "xapi"',
            f"category = {_text(CATEGORY)}",
            'audience = "adults"',
            'periodicity = "never"',
            f"until = {_text(self.until)}",
            'retention = "P180D"',
            'group = "public"',
            f"decisions = [{', '.join(map(_text, self.decisions))}]",
            "[title]",
            f"fr = {_text(self.fr)}",
            f"en = {_text(self.en)}",
            "[description]",
            'fr = "Énoncés xAPI de visionnage, tels que le lecteur vidéo les envoie."',
            'en = "xAPI statements of video viewing, as the player sends them."',
            "[notice]",
            f"iri = {_text(NOTICE)}",
            'version = "1"',
            'text = "Avec votre accord, vos traces servent à la recherche et à mieux enseigner."',
            "[basis]",
            'type = "consent"',
            'reference = "Notice 1"',
            "[policy]",
            'template = "research-under-consent"',
            "[policy.params]",
            f"purposes = [{_text(PURPOSE)}, {_text(IMPROVEMENT)}]",
            f"until = {_text(self.until)}",
            'retention = "P180D"',
            f"group = {_text(self.group)}",
        ]
        return "\n".join(lines) + "\n"


def results(until: str, *, with_nir: bool) -> str:
    """The declaration of the pupils' results; `with_nir` says what the NIR column is."""
    return _RESULTS.format(
        category=RESULTS,
        until=until,
        purpose=PURPOSE,
        group=GROUP,
        namespace=PUPILS,
        nir=_NIR if with_nir else "",
    )


_NIR: Final = """
[[columns]]                       # a social security number: declared direct, or no publication
name = "nir"
personal = "direct"
"""
_RESULTS: Final = """\
id = "results"
kind = "csv"
category = "{category}"
audience = "minors"               # on a public task only; on consent, adults only
periodicity = "annual"
until = "{until}"
retention = "P180D"
group = "public"                  # who sees the entry; who may ask stands in the policy
time = "date_epreuve"
dpia = "AIPD 2025-07"
[title]
fr = "Résultats des élèves aux épreuves communes"
en = "Pupils' results in common tests"
[description]
fr = "Une ligne par élève et par épreuve."
en = "One row a pupil and test."
[notice]
iri = "https://academie.example/information/resultats"
version = "1"
text = "Vous pouvez vous opposer à tout moment, sans conséquence pour l'élève."
[basis]
type = "public-task"
reference = "Registre des traitements, fiche 12"
[policy]
template = "public-task-research"
[policy.params]
purposes = ["{purpose}"]
until = "{until}"
retention = "P180D"
group = "{group}"
[dialect]
encoding = "windows-1252"
delimiter = ";"
[[subjects]]                      # who a row is about: leaves as a pseudonym
column = "ine"
namespace = "{namespace}"
{nir}
[[columns]]                       # the steward's word against the profiler's proposal
name = "classe"
type = "string"
personal = "indirect"
[[special]]                       # no condition of Article 9(2): never leaves
column = "handicap"
[[special]]                       # with one, and where it is written down
column = "amenagement"
condition = "9(2)(j)"
reference = "Registre des traitements, fiche 12, annexe 3"
"""


def _text(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
