"""Texts of the problems that the demo itself can name."""

from typing import Final

from policies.problem import Text, register

TEXTS: Final[dict[str, Text]] = {
    "demo-traces-unreadable": Text(
        "invalid",
        "Le fichier de traces {path} n'est pas lisible ({fault}).",
        "The file of traces {path} cannot be read ({fault}).",
        "Donnez un fichier .jsonl ou .jsonl.gz entier.",
        "Give a whole .jsonl or .jsonl.gz file.",
    ),
    "demo-traces-empty": Text(
        "invalid",
        "{path} ne contient aucun énoncé xAPI avec acteur et date.",
        "{path} holds no xAPI statement with an actor and a time.",
        "Donnez un fichier d'énoncés xAPI, un par ligne.",
        "Give a file of xAPI statements, one a line.",
    ),
    "demo-traces-nobody": Text(
        "invalid",
        "Aucun apprenant de {path} ne consent selon la règle de la démonstration.",
        "No learner of {path} consents by the rule of the demo.",
        "Donnez un fichier avec plus d'apprenants, désignés par un compte.",
        "Give a file with more learners, identified by an account.",
    ),
    "demo-table-unreadable": Text(
        "invalid",
        "La table {path} n'est pas lisible telle qu'elle est déclarée ({fault}).",
        "The table {path} cannot be read as it is declared ({fault}).",
        "Donnez un fichier CSV entier, et son encodage et son séparateur sous [dialect].",
        "Give a whole CSV file, and its encoding and delimiter under [dialect].",
    ),
    "demo-table-empty": Text(
        "invalid",
        "{path} nomme trop peu de personnes : il en faut quatre, dont trois s'opposent.",
        "{path} names too few persons: four are needed, three of whom object.",
        "Donnez une table avec plus de personnes.",
        "Give a table with more persons.",
    ),
    "demo-table-about": Text(
        "invalid",
        "La déclaration {path} ne convient pas à la démonstration ({where}).",
        "The declaration {path} does not suit the demo ({where}).",
        'Déclarez kind = "csv", des colonnes [[subjects]], une base autre que le consentement et'
        " des finalités ; voir docs/tables.md.",
        'Declare kind = "csv", [[subjects]] columns, a basis other than consent, and purposes;'
        " see docs/tables.md.",
    ),
    "demo-table-alone": Text(
        "invalid",
        "--table et --table-about vont ensemble.",
        "--table and --table-about go together.",
        "Donnez la table et sa déclaration.",
        "Give the table and its declaration.",
    ),
    "demo-command-failed": Text(
        "internal",
        "« preau {command} » a échoué : {fault}",
        "“preau {command}” failed: {fault}",
        "Corrigez ce qu'il dit, puis relancez la démonstration.",
        "Correct what it says, then run the demo again.",
    ),
    "demo-folder-not-empty": Text(
        "conflict",
        "Le dossier {path} n'est pas vide.",
        "The folder {path} is not empty.",
        "Donnez un dossier nouveau ou vide à --dir.",
        "Give a new or empty folder to --dir.",
    ),
    "demo-init-failed": Text(
        "internal",
        "« preau init » a échoué pour {node} : {fault}",
        "“preau init” failed for {node}: {fault}",
        "Corrigez ce qu'il dit, puis relancez la démonstration.",
        "Correct what it says, then run the demo again.",
    ),
    "demo-node-ended": Text(
        "internal",
        "Le nœud {node} s'est arrêté (code {status}) : {fault}",
        "The node {node} ended (code {status}): {fault}",
        "Lisez {log}.",
        "Read {log}.",
    ),
    "demo-node-slow": Text(
        "unavailable",
        "Le nœud {node} n'était pas prêt après {seconds} secondes.",
        "The node {node} was not ready after {seconds} seconds.",
        "Lisez {log}, puis relancez quand la machine est moins chargée.",
        "Read {log}, then run again when the machine is less busy.",
    ),
    "demo-not-reached": Text(
        "internal",
        "La négociation n'est pas arrivée à {wanted} : elle est à {state}. {reasons}",
        "The negotiation did not reach {wanted}: it is at {state}. {reasons}",
        "Relancez avec --dir DOSSIER et lisez les journaux des nœuds.",
        "Run again with --dir FOLDER and read the logs of the nodes.",
    ),
}

register(TEXTS)
