"""The one exception that people see.

Every refusal, fault or bad input in the three packages ends as a `Problem`: a stable code, the
parameters of its sentence, and texts in French and English that say what happened, why, and what
to do next. The texts stand in one table per package (`policies/texts.py`, `catalog/texts/`,
`connector/base/texts/`), registered when the package is imported, so a translator edits one
file and a test can compare the codes in the code with the codes in the tables.

Parameters never hold personal data or secrets: a problem may end in a log or at a peer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

Language = Literal["fr", "en"]
Kind = Literal[
    "invalid",
    "unauthenticated",
    "forbidden",
    "not-found",
    "conflict",
    "refused",
    "unavailable",
    "internal",
]

LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """What one code says: its kind, the sentence and the next step, in both languages.

    Sentences are `str.format` templates over the problem's parameters.
    """

    kind: Kind
    fr: str
    en: str
    do_fr: str
    do_en: str


class Phrase(str):
    """Words inside a sentence: English as a string (and for machines), French as `fr`."""

    __slots__ = ("fr",)
    fr: str

    def __new__(cls, en: str, fr: str) -> Self:
        """The same words in both languages."""
        made = super().__new__(cls, en)
        made.fr = fr
        return made


_TABLE: dict[str, Text] = {}


def register(table: Mapping[str, Text]) -> None:
    """Add a package's texts. A code belongs to exactly one package.

    Raises:
        ValueError: a code is registered twice with different texts.
    """
    for code, text in table.items():
        if _TABLE.setdefault(code, text) != text:
            raise ValueError(f"problem code {code!r} is registered twice")


def registered() -> Mapping[str, Text]:
    """All texts known so far, by code (read only; for documentation and tests)."""
    return dict(_TABLE)


class Problem(Exception):
    """Something a person must know: a stable `code` and the `params` of its sentence."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    @property
    def kind(self) -> Kind:
        """The class of the problem; only the HTTP edge turns it into a status."""
        return self._entry.kind

    def text(self, lang: Language) -> str:
        """What happened and why, in one or two sentences."""
        return (self._entry.fr if lang == "fr" else self._entry.en).format_map(self._values(lang))

    def remedy(self, lang: Language) -> str:
        """What to do next."""
        text = self._entry.do_fr if lang == "fr" else self._entry.do_en
        return text.format_map(self._values(lang))

    def document(self) -> dict[str, object]:
        """The problem for machines: code, both sentences, both remedies, and the parameters."""
        return {
            "code": self.code,
            "fr": self.text("fr"),
            "en": self.text("en"),
            "do": {"fr": self.remedy("fr"), "en": self.remedy("en")},
            "params": {name: _plain(value) for name, value in self.params.items()},
        }

    def __str__(self) -> str:
        return f"{self.code}: {self.text('en')} {self.remedy('en')}"

    @property
    def _entry(self) -> Text:
        return _TABLE.get(self.code, _UNKNOWN)

    def _values(self, lang: Language) -> "_Params":
        shown = {
            name: value.fr if lang == "fr" and isinstance(value, Phrase) else value
            for name, value in self.params.items()
        }
        return _Params({"code": self.code, **shown})


class _Params(dict[str, object]):
    """A missing parameter shows as its own name: a poor sentence beats a second failure."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _plain(value: object) -> object:
    if isinstance(value, Phrase):
        return str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)


_UNKNOWN = Text(
    kind="internal",
    fr="Une erreur sans texte s'est produite ({code}).",
    en="An error without a text occurred ({code}).",
    do_fr="Signalez ce code aux mainteneurs de Préau.",
    do_en="Report this code to the maintainers of Préau.",
)
