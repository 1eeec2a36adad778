"""Texts of the problems that the command line can name."""

from typing import Final

from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "cli-which-node": Text(
        "invalid",
        "Aucun nœud n'est désigné.",
        "No node is named.",
        "Ajoutez --node DOSSIER (ou une URL), ou la variable PREAU_NODE.",
        "Add --node FOLDER (or a URL), or set PREAU_NODE.",
    ),
    "cli-no-settings": Text(
        "not-found",
        "{folder} n'est pas le dossier d'un nœud : preau.toml n'y est pas lisible.",
        "{folder} is not a node's folder: no readable preau.toml in it.",
        "Donnez le dossier créé par « preau init ».",
        "Give the folder that “preau init” created.",
    ),
    "cli-no-token": Text(
        "unauthenticated",
        "Aucun jeton : {path} n'est pas lisible.",
        "No token: {path} cannot be read.",
        "Donnez --token-file FICHIER ; un opérateur crée un jeton par « preau token add ».",
        "Give --token-file FILE; an operator creates one with “preau token add”.",
    ),
    "cli-no-node": Text(
        "unavailable",
        "Aucun nœud ne répond à {url}.",
        "No node answers at {url}.",
        "Démarrez-le par « preau serve DIR », ou vérifiez --node.",
        "Start it with “preau serve DIR”, or check --node.",
    ),
    "cli-broken-answer": Text(
        "unavailable",
        "L'échange avec {url} s'est interrompu ({fault}).",
        "The exchange with {url} broke off ({fault}).",
        "Relancez la commande ; si cela dure, lisez le journal du nœud.",
        "Run the command again; if it lasts, read the node's log.",
    ),
    "cli-bad-answer": Text(
        "internal",
        "Le nœud a répondu {status} sans explication.",
        "The node answered {status} without an explanation.",
        "Lisez le journal du nœud.",
        "Read the node's log.",
    ),
    "cli-file-unreadable": Text(
        "invalid",
        "Le fichier {path} n'est pas lisible ({fault}).",
        "The file {path} cannot be read ({fault}).",
        "Vérifiez le chemin et les droits.",
        "Check the path and its permissions.",
    ),
    "cli-json-invalid": Text(
        "invalid",
        "Le fichier {path} n'est pas du JSON ({fault}).",
        "The file {path} is not JSON ({fault}).",
        "Corrigez le fichier à cet endroit.",
        "Correct the file at that place.",
    ),
    "cli-choose-none": Text(
        "not-found",
        "Il n'y en a aucun pour l'instant.",
        "There is none at the moment.",
        "Attendez-le avec --wait SECONDES là où c'est possible, ou voyez la commande « list ».",
        "Wait for it with --wait SECONDS where possible, or see the command “list”.",
    ),
    "cli-choose-several": Text(
        "invalid",
        "Il y en a {count} : {ids}.",
        "There are {count}: {ids}.",
        "Ajoutez l'identifiant de celui que vous voulez.",
        "Add the id of the one you mean.",
    ),
    "cli-serve-ended": Text(
        "unavailable",
        "Le nœud de {folder} s'est arrêté aussitôt (code {status}) : {fault}",
        "The node in {folder} ended at once (code {status}): {fault}",
        "Corrigez ce que dit {log}, puis relancez.",
        "Mend what {log} says, then start it again.",
    ),
    "cli-serve-slow": Text(
        "unavailable",
        "Le nœud de {folder} n'est pas prêt après {seconds} s.",
        "The node in {folder} is not ready after {seconds} s.",
        "Lisez {log} ; le processus a été arrêté.",
        "Read {log}; the process was stopped.",
    ),
    "cli-folder-not-empty": Text(
        "conflict",
        "Le dossier {folder} n'est pas vide ; rien n'a été écrit.",
        "The folder {folder} is not empty; nothing was written.",
        "Donnez un dossier nouveau.",
        "Give a new folder.",
    ),
    "cli-not-saved": Text(
        "invalid",
        "{folder} n'a pas été écrit par « preau catalog save ».",
        "{folder} was not written by “preau catalog save”.",
        "Donnez le dossier que cette commande a écrit, tel quel.",
        "Give the folder which that command wrote, unchanged.",
    ),
    "cli-request-ended": Text(
        "refused",
        "La demande {pid} est close, sans accord ({ended}) : {reasons}",
        "The request {pid} is over, without an agreement ({ended}): {reasons}",
        "« preau negotiation show {pid} » dit tout ; corrigez cela, puis demandez de nouveau.",
        "“preau negotiation show {pid}” tells all; mend that, then ask again.",
    ),
    "cli-not-written": Text(
        "unavailable",
        "{path} n'a pas pu être écrit ({fault}).",
        "{path} could not be written ({fault}).",
        "Vérifiez la place et les droits, puis relancez la commande.",
        "Check space and permissions, then run the command again.",
    ),
}
