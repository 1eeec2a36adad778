"""Texts of the problems that the `subjects` room can name."""

from typing import Final

from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "subjects-identifier-type": Text(
        "invalid",
        "Ce type d'identifiant n'existe pas.",
        "This type of identifier does not exist.",
        "Utilisez l'un de : {allowed}.",
        "Use one of: {allowed}.",
    ),
    "subjects-identifier-malformed": Text(
        "invalid",
        "L'identifiant de type « {type} » est mal formé (sa valeur n'est pas répétée ici).",
        "The identifier of type “{type}” is malformed (its value is not repeated here).",
        "account : homePage et nom ; mbox : mailto:adresse ; mbox_sha1sum : 40 chiffres"
        " hexadécimaux ; openid : IRI absolu ; column : espace de noms et valeur.",
        "account: homePage and name; mbox: mailto:address; mbox_sha1sum: 40 hexadecimal digits;"
        " openid: absolute IRI; column: namespace and value.",
    ),
    "subjects-import-unreadable": Text(
        "invalid",
        "Le fichier de consentements n'est pas lisible ({reason}).",
        "The consent file cannot be read ({reason}).",
        "Fournissez un CSV en UTF-8 avec en-tête, ou un tableau JSON d'objets.",
        "Provide a UTF-8 CSV with a header, or a JSON array of objects.",
    ),
    "subjects-import-columns": Text(
        "invalid",
        "Les colonnes du fichier de consentements ne conviennent pas"
        " (manquantes : {missing} ; inconnues : {unknown}).",
        "The columns of the consent file are wrong (missing: {missing}; unknown: {unknown}).",
        "Colonnes attendues : event_id, id_type, id_value, id_home, recipient, purpose, category,"
        " status, at, valid_until, notice, et aucune autre.",
        "Expected columns: event_id, id_type, id_value, id_home, recipient, purpose, category,"
        " status, at, valid_until, notice, and no other.",
    ),
    "subjects-import-empty": Text(
        "invalid",
        "Le fichier de consentements ne contient aucune ligne.",
        "The consent file holds no row.",
        "Vérifiez l'export du système d'origine.",
        "Check the export of the system it comes from.",
    ),
    "subjects-import-rows": Text(
        "invalid",
        "{count} ligne(s) du fichier de consentements sont refusées ; la première est la ligne"
        " {row}, colonne « {column} » ({reason}). Rien n'a été importé.",
        "{count} row(s) of the consent file are refused; the first is row {row}, column"
        " “{column}” ({reason}). Nothing was imported.",
        "Corrigez les lignes listées et importez le fichier entier à nouveau.",
        "Correct the listed rows and import the whole file again.",
    ),
    "subjects-journal-damaged": Text(
        "internal",
        "Le journal des consentements est abîmé après la ligne {line}.",
        "The consent journal is damaged after line {line}.",
        "Arrêtez le nœud et restaurez le journal depuis sa copie ; ne supprimez pas de lignes.",
        "Stop the node and restore the journal from its copy; do not delete lines.",
    ),
    "subjects-journal-unusable": Text(
        "unavailable",
        "Le journal des consentements ne peut pas être écrit ({reason}) : rien n'a été enregistré.",
        "The consent journal cannot be written ({reason}): nothing was recorded.",
        "Vérifiez le disque et les droits du fichier indiqué par [consent] journal, puis refaites"
        " l'opération.",
        "Check the disk and the permissions of the file named by [consent] journal, then repeat"
        " the operation.",
    ),
}
