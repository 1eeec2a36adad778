"""Texts of the problems that the `dataplane` room can name."""

from typing import Final

from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "dataplane-about-toml": Text(
        "invalid",
        "La déclaration (About) n'est pas du TOML lisible : {reason}.",
        "The declaration (About) is not readable TOML: {reason}.",
        "Corrigez la syntaxe ; le fichier doit être en UTF-8.",
        "Correct the syntax; the file must be UTF-8.",
    ),
    "dataplane-about-unknown": Text(
        "invalid",
        "La déclaration contient un membre inconnu : « {where} ».",
        "The declaration has an unknown member: “{where}”.",
        "Vérifiez l'orthographe, ou retirez ce membre.",
        "Check its spelling, or remove it.",
    ),
    "dataplane-about-missing": Text(
        "invalid",
        "Il manque « {where} » dans la déclaration.",
        "The declaration lacks “{where}”.",
        "Ajoutez ce membre ; les textes sont demandés en français et en anglais.",
        "Add this member; texts are asked for in French and in English.",
    ),
    "dataplane-about-type": Text(
        "invalid",
        "« {where} » n'a pas la forme attendue ({expected}).",
        "“{where}” has not the expected form ({expected}).",
        "Corrigez la valeur dans la déclaration.",
        "Correct the value in the declaration.",
    ),
    "dataplane-about-value": Text(
        "invalid",
        "La valeur de « {where} » n'est pas admise (admises : {allowed}).",
        "The value of “{where}” is not allowed (allowed: {allowed}).",
        "Choisissez une valeur admise ; id : lettres, chiffres, points et tirets ; durées ISO 8601,"
        " par exemple P2Y ; IRI absolus.",
        "Choose an allowed value; id: letters, digits, dots and dashes; ISO 8601 durations such as"
        " P2Y; absolute IRIs.",
    ),
    "dataplane-file-unreadable": Text(
        "invalid",
        "Le fichier de données ne peut pas être lu ({reason}).",
        "The data file cannot be read ({reason}).",
        "Vérifiez le chemin et les droits.",
        "Check the path and the permissions.",
    ),
    "dataplane-file-empty": Text(
        "invalid",
        "Le fichier de données est vide.",
        "The data file is empty.",
        "Vérifiez l'export.",
        "Check the export.",
    ),
    "dataplane-file-encoding": Text(
        "invalid",
        "Le fichier n'est pas en UTF-8 (ligne {line}).",
        "The file is not UTF-8 (line {line}).",
        "Exportez-le à nouveau en UTF-8.",
        "Export it again as UTF-8.",
    ),
    "dataplane-file-binary": Text(
        "invalid",
        "Le fichier n'est pas un texte (octet nul à la ligne {line}).",
        "The file is not text (NUL byte on line {line}).",
        "Fournissez du JSON Lines (un statement xAPI par ligne) ou du CSV ; un classeur de tableur"
        " doit être exporté en CSV.",
        "Provide JSON Lines (one xAPI statement per line) or CSV; a spreadsheet must be exported"
        " as CSV.",
    ),
    "dataplane-file-garbled": Text(
        "invalid",
        "Le fichier compressé est abîmé ou n'est pas du gzip.",
        "The compressed file is damaged or is not gzip.",
        "Copiez-le ou compressez-le à nouveau.",
        "Copy or compress it again.",
    ),
    "dataplane-file-truncated": Text(
        "invalid",
        "Le fichier est tronqué : sa fin manque.",
        "The file is truncated: its end is missing.",
        "Copiez ou exportez-le à nouveau en entier.",
        "Copy or export it again, whole.",
    ),
    "dataplane-bad-rows": Text(
        "refused",
        "{count} lignes sur {rows} sont inutilisables, plus que la limite de {limit}"
        " (première : ligne {first} ; {reasons}). Rien n'a été publié.",
        "{count} rows out of {rows} are unusable, more than the limit of {limit} (first: row"
        " {first}; {reasons}). Nothing was published.",
        "Corrigez l'export, ou relevez --max-bad si ces pertes sont voulues.",
        "Correct the export, or raise --max-bad if these losses are intended.",
    ),
    "dataplane-no-rows": Text(
        "refused",
        "Aucune ligne utilisable n'a été trouvée.",
        "No usable row was found.",
        "Vérifiez que chaque ligne est un statement xAPI complet, ou que la table a des lignes.",
        "Check that every line is a complete xAPI statement, or that the table has rows.",
    ),
    "dataplane-column-unknown": Text(
        "invalid",
        "La déclaration décrit un champ absent des données : « {name} ».",
        "The declaration describes a field that the data does not have: “{name}”.",
        "Corrigez le nom (columns, subjects, special ou time), ou retirez-le.",
        "Correct the name (columns, subjects, special or time), or remove it.",
    ),
    "dataplane-column-subject": Text(
        "invalid",
        "La colonne « {name} » : les colonnes de subjects, et elles seules, sont des personnes"
        ' (type "agent", personal "direct").',
        "Column “{name}”: the columns of subjects, and no others, are persons (type “agent”,"
        " personal “direct”).",
        "Retirez ce que columns en dit, ou corrigez subjects.",
        "Remove what columns says of it, or correct subjects.",
    ),
    "dataplane-csv-dialect": Text(
        "invalid",
        "Avec le séparateur {delimiter}, la table n'a qu'une colonne (autres séparateurs vus dans"
        " l'en-tête : {hint}).",
        "With the delimiter {delimiter}, the table has one column only (other delimiters seen in"
        " the header: {hint}).",
        "Déclarez [dialect] delimiter comme le fichier est écrit.",
        "Declare [dialect] delimiter as the file is written.",
    ),
    "dataplane-csv-encoding": Text(
        "invalid",
        "Le fichier n'est pas en {encoding} comme déclaré (ligne {line}).",
        "The file is not in {encoding} as declared (line {line}).",
        'Déclarez-le : [dialect] encoding = "windows-1252" (tableur), ou passez en UTF-8.',
        'Declare it: [dialect] encoding = "windows-1252" (spreadsheets), or export it as UTF-8.',
    ),
    "dataplane-csv-header": Text(
        "invalid",
        "La première ligne n'est pas un en-tête utilisable ({reason}).",
        "The first line is no usable header ({reason}).",
        "Donnez à chaque colonne un nom, et un seul ; vérifiez aussi [dialect].",
        "Give each column one name of its own; check [dialect] too.",
    ),
    "dataplane-nir": Text(
        "refused",
        "La colonne « {column} » contient des numéros de sécurité sociale ({count} cellules) :"
        " ils ne quittent jamais l'institution. Rien n'a été publié.",
        "Column “{column}” holds social security numbers ({count} cells): they never leave the"
        " institution. Nothing was published.",
        'Retirez-les du fichier, ou déclarez cette colonne personal = "direct" dans columns : elle'
        " ne pourra être convenue avec personne.",
        'Remove them from the file, or declare this column personal = "direct" in columns: it can'
        " then be agreed with nobody.",
    ),
    "dataplane-revision-exists": Text(
        "conflict",
        "Cette révision existe déjà.",
        "This revision exists already.",
        "Une révision ne change jamais ; publiez-en une nouvelle.",
        "A revision never changes; publish a new one.",
    ),
    "dataplane-revision-missing": Text(
        "not-found",
        "La révision demandée n'est pas sur ce nœud.",
        "The revision asked for is not on this node.",
        "Vérifiez le dossier des données du nœud, ou restaurez-le.",
        "Check the node's data folder, or restore it.",
    ),
    "dataplane-revision-damaged": Text(
        "internal",
        "La révision est abîmée (fichier {file}).",
        "The revision is damaged (file {file}).",
        "Restaurez le dossier de la révision, ou publiez les données à nouveau.",
        "Restore the revision's folder, or publish the data again.",
    ),
    "dataplane-disk": Text(
        "unavailable",
        "L'écriture sur le disque a échoué ({reason}) ; rien n'a été laissé à moitié.",
        "Writing to the disk failed ({reason}); nothing was left half-written.",
        "Libérez de la place ou corrigez les droits, puis recommencez.",
        "Free some space or correct the permissions, then try again.",
    ),
    "dataplane-plan-unsupported": Text(
        "refused",
        "Le plan demande un traitement que ce nœud ne sait pas appliquer ({what}).",
        "The plan asks for a treatment that this node cannot apply ({what}).",
        "Rien ne sort sans ce traitement ; mettez le nœud à jour ou changez l'accord.",
        "Nothing leaves without it; upgrade the node or change the agreement.",
    ),
    "dataplane-lane": Text(
        "refused",
        "Ces conditions demandent un mode de communication que ce nœud ne sait pas encore"
        " exécuter ({lane}). Il sait : {known}.",
        "These terms need a lane of release that this node cannot run yet ({lane}). It runs:"
        " {known}.",
        "Proposez des conditions sans seuil de groupe ni agrégation, ou attendez la version qui"
        " l'exécute.",
        "Offer terms without group sizes or aggregation, or wait for the version that runs it.",
    ),
    "dataplane-column": Text(
        "refused",
        "Une condition porte, ligne par ligne, sur une valeur que ce nœud ne connaît pas pour ses"
        " lignes ({column}). Il connaît : {known}.",
        "A condition asks each row for a value that this node does not have for its rows"
        " ({column}). It has: {known}.",
        "Retirez cette condition des alternatives, ou exprimez-la par une condition simple.",
        "Take this condition out of the alternatives, or say it as a condition of its own.",
    ),
    "dataplane-plan-drift": Text(
        "refused",
        "La révision n'a plus le champ convenu « {name} », ou son type a changé.",
        "The revision no longer has the agreed field “{name}”, or its type has changed.",
        "Publiez une révision qui contient ce champ, ou convenez d'un nouvel accord.",
        "Publish a revision with this field, or make a new agreement.",
    ),
    "dataplane-part-digest": Text(
        "refused",
        "La partie {part} reçue n'est pas celle qui a été annoncée (empreinte différente).",
        "Part {part} as received is not the one announced (digest differs).",
        "La partie n'a pas été gardée ; redemandez-la.",
        "The part was not kept; ask for it again.",
    ),
    "dataplane-part-order": Text(
        "conflict",
        "La partie {part} n'est pas la suivante attendue ({expected}).",
        "Part {part} is not the next one expected ({expected}).",
        "Reprenez le transfert à partir de la partie attendue.",
        "Resume the transfer from the expected part.",
    ),
    "dataplane-manifest-mismatch": Text(
        "refused",
        "Le manifeste ne correspond pas aux parties reçues ({what}).",
        "The manifest does not match the parts received ({what}).",
        "Le fichier reste .partial ; redemandez les parties ou signalez-le au fournisseur.",
        "The file stays .partial; ask for the parts again or tell the provider.",
    ),
    "dataplane-part-header": Text(
        "invalid",
        "L'en-tête « {header} » manque ou n'a pas la forme attendue.",
        "The header “{header}” is missing or has not the expected form.",
        "Le correspondant ne suit pas le protocole des parties ; signalez-le-lui.",
        "The peer does not follow the protocol of parts; tell them.",
    ),
    "dataplane-received": Text(
        "conflict",
        "Le fichier {file} a déjà été reçu en entier.",
        "The file {file} has been received in full already.",
        "Choisissez un autre dossier, ou déplacez le fichier reçu.",
        "Choose another folder, or move the received file.",
    ),
}
