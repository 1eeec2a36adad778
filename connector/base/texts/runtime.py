"""Texts of the problems that the `runtime` room can name."""

from typing import Final

from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "runtime-folder-not-empty": Text(
        "conflict",
        "Le dossier {folder} n'est pas vide.",
        "The folder {folder} is not empty.",
        "Choisissez un dossier neuf : un nœud ne s'installe jamais sur un autre.",
        "Choose a new folder: a node is never made over another.",
    ),
    "runtime-port-in-use": Text(
        "unavailable",
        "L'adresse {address} ne peut pas être écoutée ({reason}).",
        "The address {address} cannot be listened on ({reason}).",
        "Arrêtez ce qui l'occupe, ou changez [listen] dans preau.toml.",
        "Stop what holds it, or change [listen] in preau.toml.",
    ),
}
