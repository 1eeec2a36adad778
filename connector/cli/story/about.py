"""What the platform's steward declares beside the traces (FORMATS "About"), as TOML."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from policies.vocabulary import DPV, PREAU

PURPOSE: Final = PREAU + "EducationResearch"
NARROWER: Final = PREAU + "LearningAnalyticsResearch"
COMMERCIAL: Final = DPV + "CommercialResearch"
CATEGORY: Final = PREAU + "LearningTraces"
NOTICE: Final = "https://campus.example/notices/research-2025"
GROUP: Final = "labs"


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
            'text = "Avec votre accord, vos traces servent à la recherche en éducation."',
            "[basis]",
            'type = "consent"',
            'reference = "Notice 1"',
            "[policy]",
            'template = "research-under-consent"',
            "[policy.params]",
            f"purposes = [{_text(PURPOSE)}]",
            f"until = {_text(self.until)}",
            'retention = "P180D"',
            f"group = {_text(self.group)}",
        ]
        return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
