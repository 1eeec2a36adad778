"""The namespaces we know and the form of a known term; everything else imports them from here."""

from collections.abc import Mapping
from typing import Final, NamedTuple

ODRL: Final = "http://www.w3.org/ns/odrl/2/"
DPV: Final = "https://w3id.org/dpv#"
EDU: Final = "https://w3id.org/dpv/sector/education#"
PREAU: Final = "https://w3id.org/preau/ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

PREFIXES: Final[Mapping[str, str]] = {
    "odrl": ODRL,
    "preau": PREAU,
    "dpv": DPV,
    "edu": EDU,
    "edu-s": EDU,
    "sector-education": EDU,
    "xsd": XSD,
    "rdf": RDF,
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dspace": "https://w3id.org/dspace/2025/1/",
    "cc": "http://creativecommons.org/ns#",
}


class Term(NamedTuple):
    """One known IRI: its broader terms and its labels."""

    broader: tuple[str, ...]
    fr: str
    en: str
