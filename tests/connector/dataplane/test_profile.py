"""The profiler: French identifiers by form and key, and what a column seems to say of persons."""

from collections.abc import Iterable

import pytest

from connector.dataplane import identifiers
from connector.dataplane.profile import Column, Profile


def nir(number: str) -> str:
    """A number with its key, computed here in another way."""
    digits = int(number.replace("2A", "19").replace("2B", "18"))
    return f"{number}{97 - digits % 97:02d}"


NIRS = [nir("2550814168025"), nir("185052A004123"), nir("185052B004123"), nir("1990675116001")]


def profile(name: str, cells: Iterable[str]) -> Profile:
    column = Column(name)
    for cell in cells:
        column.see(cell)
    return column.profile()


def flags(found: Profile) -> set[str]:
    return {flag.what for flag in found.flags}


class TestIdentifiers:
    def test_a_published_example(self):
        assert NIRS[0] == "255081416802538"

    @pytest.mark.parametrize("text", NIRS)
    def test_nir_with_its_key(self, text: str):
        spaced = f"{text[0]} {text[1:3]} {text[3:5]} {text[5:7]} {text[7:10]} {text[10:13]} "
        assert identifiers.nir(text)
        assert identifiers.nir(spaced + text[13:])
        assert identifiers.nir_inside(f"NIR : {spaced + text[13:]}, à vérifier")
        assert identifiers.nir_without_key(text[:13])

    @pytest.mark.parametrize("text", NIRS)
    def test_a_wrong_key_is_no_nir(self, text: str):
        wrong = text[:13] + f"{(int(text[13:]) + 1) % 97:02d}"
        assert not identifiers.nir(wrong)
        assert not identifiers.nir_inside(f"n° {wrong}")

    def test_months_that_do_not_exist(self):
        assert not identifiers.nir(nir("2551314168025"))

    @pytest.mark.parametrize("text", ["0123456789A", "123456789AB", "0A1B2C3D4EF"])
    def test_ine(self, text: str):
        assert identifiers.ine(text)
        assert not identifiers.ine(text[:-1])
        assert not identifiers.ine(text[:-1] + "0")

    def test_words_are_no_ine(self):
        assert not identifiers.ine("PROGRAMMING")

    @pytest.mark.parametrize("text", ["0750655E", "0750655e"])
    def test_uai_with_its_key(self, text: str):
        assert identifiers.uai(text)
        assert not identifiers.uai("0750655F")

    @pytest.mark.parametrize(
        "text", ["0612345678", "06 12 34 56 78", "+33 6 12 34 56 78", "+33(0)612345678"]
    )
    def test_phone(self, text: str):
        assert identifiers.phone(text)
        assert identifiers.phone_inside(f"tél. {text}.")

    def test_no_phone(self):
        assert not identifiers.phone("0012345678")
        assert not identifiers.phone_inside("10612345678")

    def test_email(self):
        assert identifiers.email("mailto:zoe.dupont@ac-lyon.fr")
        assert identifiers.email_inside("écrire à zoe@lycee.example svp")
        assert not identifiers.email_inside("a @ b, c@d")


@pytest.mark.parametrize(
    ("name", "cells", "flag", "proposed"),
    [
        ("x", ["0123456789A"] * 9 + [""], "ine", "direct"),
        ("x", ["a@b.example", "c@d.example"], "email", "direct"),
        ("x", ["0612345678", "+33 6 12 34 56 78"], "phone", "direct"),
        ("x", NIRS, "nir", "direct"),
        ("x", ["-"] * 500 + NIRS[:1], "nir", "direct"),
        ("x", ["rien", f"son numéro est {NIRS[2]} je crois"], "nir", "direct"),
        ("num_secu", ["2550814168025"], "nir", "direct"),
        ("Nom", ["a", "b"], "name", "direct"),
        ("prénom_usuel", ["a"], "name", "direct"),
        ("disability", ["Y", "N"], "special", "special"),
        ("Situation de handicap", ["oui"], "special", "special"),
        ("date_naissance", ["2011-09-01"], "birth-date", "indirect"),
        ("x", ["1950-01-02", "1999-05-06"], "birth-date", "indirect"),
        ("x", ["0750655E"] * 12, "uai", "no"),
        ("x", ["commun"] * 50 + ["rare"], "rare-values", "indirect"),
        ("x", [f"v{n}" for n in range(300)], "unique", "indirect"),
        ("x", ["une longue remarque sur un élève", "et une autre bien plus longue encore"],
         "free-text", "free-text"),
        ("x", ["vu"] * 9 + ["appeler le 06 12 34 56 78"], "contains-phone", "free-text"),
    ],
)  # fmt: skip
def test_proposals(name: str, cells: list[str], flag: str, proposed: str):
    found = profile(name, cells)
    assert flag in flags(found)
    assert found.proposed == proposed


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("score", ["12", "", "7.5"], "number"),
        ("passed", ["true", "FALSE"], "boolean"),
        ("level", ["A"] * 20 + ["B"] * 20, "string"),
        ("empty", ["", ""], "null"),
    ],
)
def test_ordinary_columns_raise_nothing(name: str, cells: list[str], kind: str):
    found = profile(name, cells)
    assert (found.type, found.flags, found.proposed) == (kind, (), "no")


@pytest.mark.parametrize("name", ["nombre", "nomenclature", "numero", "renommage", "denomination"])
def test_names_that_only_resemble(name: str):
    assert not flags(profile(name, ["1", "2"]))


def test_thirteen_digits_are_no_nir_among_others():
    barcodes = [f"30{n:011d}" for n in range(100)] + ["2550814168025"]
    assert "nir" not in flags(profile("ean", barcodes))


def test_a_profile_holds_no_value():
    found = profile("x", ["secret@b.example", *NIRS])
    assert "secret" not in repr(found)
    assert NIRS[0] not in repr(found)


def test_beyond_its_memory_types_and_identifiers_are_still_seen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("connector.dataplane.profile.MEMORY", 10)
    found = profile("x", [str(n) for n in range(100)] + NIRS[:1])
    assert (found.type, flags(found)) == ("number", {"nir"})
