"""Texts of the problems that the `base` room can name."""

from typing import Final

from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "file-exists": Text(
        "conflict",
        "Le fichier {path} existe déjà.",
        "The file {path} exists already.",
        "Choisissez un autre nom : rien n'est jamais écrasé.",
        "Choose another name: nothing is ever written over.",
    ),
    "file-unwritable": Text(
        "unavailable",
        "Le fichier {path} ne peut pas être écrit ({reason}) ; il n'en reste rien.",
        "The file {path} cannot be written ({reason}); nothing of it remains.",
        "Libérez de la place, ou vérifiez le chemin et les droits, puis relancez la commande.",
        "Free some space, or check the path and its permissions, then run the command again.",
    ),
    "time-invalid": Text(
        "invalid",
        "« {value} » n'est pas une date et heure RFC 3339 avec fuseau.",
        "“{value}” is not an RFC 3339 date-time with an offset.",
        "Écrivez par exemple 2026-11-23T08:00:00Z.",
        "Write for example 2026-11-23T08:00:00Z.",
    ),
    "settings-missing": Text(
        "not-found",
        "Aucune configuration : {path} n'existe pas.",
        "No configuration: {path} does not exist.",
        "Créez le nœud avec « preau init DIR --name NOM --public-url URL ».",
        "Create the node with “preau init DIR --name NAME --public-url URL”.",
    ),
    "settings-unknown": Text(
        "invalid",
        "La configuration ne connaît pas « {place} ».",
        "The configuration knows nothing of “{place}”.",
        "Corrigez ou ôtez cette ligne de preau.toml (docs/configuration.md les nomme toutes).",
        "Correct this line of preau.toml or take it out (docs/configuration.md names them all).",
    ),
    "settings-invalid": Text(
        "invalid",
        "La configuration est fausse à « {place} » : {fault}.",
        "The configuration is wrong at “{place}”: {fault}.",
        "Corrigez cette ligne de preau.toml, puis relancez.",
        "Correct this line of preau.toml, then start again.",
    ),
}
