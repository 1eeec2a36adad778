"""French identifiers and contact details, told from their form and, where there is one, their key.

Room: dataplane; pure. Each function answers for one text. `uai` names an institution, all others a
person. NIR is the one that may never leave (X10): for it there is also a search inside texts.
"""

import re
from typing import Final

_SPACES: Final = re.compile(r"[ .\u00a0-]")
# Sex, year, month (fictive ones for unknown months included), place of birth, order, key.
_NIR: Final = re.compile(
    r"([1-478][0-9]{2}(?:0[1-9]|1[0-2]|[2-9][0-9])(?:[0-9]{2}|2[AB])[0-9]{6})([0-9]{2})?"
)
_IN_TEXT: Final = re.compile(
    r"(?<![0-9A-Za-z])[1-478](?:[ .\u00a0-]?[0-9]){4}[ .\u00a0-]?[0-9][ .\u00a0-]?[0-9AB]"
    r"(?:[ .\u00a0-]?[0-9]){8}(?![0-9A-Za-z])"
)
# National pupil number: 10 digits and a key letter, 9 digits and two letters, or the universities'
# form with letters among the first ten.
_INE: Final = re.compile(r"[0-9A-Z]{10}[A-HJ-NPR-Z]")
_INE_DIGITS: Final = 4
_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[\w.+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+(?![\w@])"
)
_PHONE: Final = re.compile(
    r"(?<![0-9+])(?:(?:\+|00)33[ .-]?(?:\(0\))?[ .-]?|0)[1-9](?:[ .\u00a0-]?[0-9]{2}){4}(?![0-9])"
)
_UAI: Final = re.compile(r"([0-9]{7})([A-HJ-NPR-Z])")
_UAI_KEYS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_CORSICA: Final = {"2A": "19", "2B": "18"}


def nir(text: str) -> bool:
    """A social security number with its key (97 less the number modulo 97)."""
    found = _NIR.fullmatch(_SPACES.sub("", text.strip()).upper())
    return found is not None and found[2] is not None and int(found[2]) == _nir_key(found[1])


def nir_without_key(text: str) -> bool:
    """Thirteen digits in the form of a NIR: only a whole column of them says something."""
    found = _NIR.fullmatch(_SPACES.sub("", text.strip()).upper())
    return found is not None and found[2] is None


def nir_inside(text: str) -> bool:
    """A NIR with its key anywhere in a text."""
    return any(nir(found[0]) for found in _IN_TEXT.finditer(text.upper()))


def ine(text: str) -> bool:
    """A national pupil or student number, by its form."""
    found = text.strip().upper()
    return bool(_INE.fullmatch(found)) and sum(map(str.isdigit, found)) >= _INE_DIGITS


def email(text: str) -> bool:
    """An e-mail address, `mailto:` or not."""
    return _EMAIL.fullmatch(text.strip().removeprefix("mailto:")) is not None


def email_inside(text: str) -> bool:
    """An e-mail address anywhere in a text."""
    return "@" in text and _EMAIL.search(text) is not None


def phone(text: str) -> bool:
    """A French telephone number."""
    return _PHONE.fullmatch(text.strip()) is not None


def phone_inside(text: str) -> bool:
    """A French telephone number anywhere in a text."""
    return _PHONE.search(text) is not None


def uai(text: str) -> bool:
    """The code of a school or university, with its key letter (the number modulo 23)."""
    found = _UAI.fullmatch(text.strip().upper())
    return found is not None and _UAI_KEYS[int(found[1]) % 23] == found[2]


def _nir_key(number: str) -> int:
    department = number[5:7]
    digits = number[:5] + _CORSICA.get(department, department) + number[7:]
    return 97 - int(digits) % 97
