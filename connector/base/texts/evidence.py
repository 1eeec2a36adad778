"""Texts of the problems that the `evidence` room can name: the log's, and a bundle's."""

from typing import Final

from policies.problem import Kind, Text

_AGAIN: Final = (
    "Gardez ce fichier et demandez au nœud un autre dossier ; s'il dit de même, écrivez-lui.",
    "Keep this file and ask the node for another bundle; if it says the same, write to it.",
)
_OTHER_SIDE: Final = (
    "Demandez le dossier de l'autre partie et comparez les deux.",
    "Ask the other party for its bundle and compare the two.",
)
_NOTHING: Final = ("Rien à faire.", "Nothing to do.")
_OPERATOR: Final = (
    "Ne supprimez rien ; restaurez la base la plus récente (docs/evidence.md, “A damaged log”).",
    "Delete nothing; restore the newest database (docs/evidence.md, “A damaged log”).",
)
_CALLER: Final = (
    "Demandez un point qui existe dans le journal (voir /log/checkpoint).",
    "Ask for something that exists in the log (see /log/checkpoint).",
)


def _text(fr: str, en: str, do: tuple[str, str] = _AGAIN, kind: Kind = "refused") -> Text:
    return Text(kind, fr, en, *do)


_LOG: Final[dict[str, Text]] = {
    "evidence-clock-back": _text(
        "L'horloge de la machine ({now}) retarde sur la dernière feuille du journal ({last}) : "
        "le nœud ne remet plus rien tant que l'heure du journal reculerait.",
        "The machine's clock ({now}) is behind the last leaf of the log ({last}): the node "
        "releases nothing while the log's time would go back.",
        (
            "Mettez la machine à l'heure (chrony, NTP) ; le nœud reprend ensuite de lui-même.",
            "Set the machine's clock (chrony, NTP); the node goes on once that time has passed.",
        ),
        "unavailable",
    ),
    "evidence-log-shorter": _text(
        "La base a {found} feuilles, mais le dernier point de contrôle signé en compte {size} : "
        "des preuves manquent.",
        "The database holds {found} leaves, but the last signed checkpoint counts {size}: evidence "
        "is missing.",
        _OPERATOR,
        "internal",
    ),
    "evidence-log-disagrees": _text(
        "Les {size} premières feuilles de la base ne donnent pas la racine du dernier point de "
        "contrôle signé : une feuille a été changée.",
        "The first {size} leaves of the database do not give the root of the last signed "
        "checkpoint: a leaf was changed.",
        _OPERATOR,
        "internal",
    ),
    "evidence-log-hole": _text(
        "La feuille {index} manque dans la base, alors que des suivantes y sont.",
        "Leaf {index} is missing from the database although later ones are there.",
        _OPERATOR,
        "internal",
    ),
    "evidence-log-checkpoint": _text(
        "Le dernier point de contrôle n'est pas signé par la clé du journal « {origin} », "
        "ou n'est pas le sien.",
        "The last stored checkpoint is not signed by the present key of the log “{origin}”, or is "
        "not its own.",
        (
            "Vérifiez `[keys] dir` et `[node] public_url` : clé et nom du journal vont ensemble.",
            "Check `[keys] dir` and `[node] public_url`: the log's key and name belong together.",
        ),
        "internal",
    ),
    "evidence-disk": _text(
        "Le disque n'a pas pris la suite du journal ({reason}) ; rien n'en est perdu.",
        "The disk did not take what the log goes on with ({reason}); nothing of it is lost.",
        (
            "Libérez de la place : le nœud réessaie de lui-même et signe alors l'état suivant.",
            "Free some space: the node tries again by itself and then signs the next checkpoint.",
        ),
        "unavailable",
    ),
    "evidence-levels-damaged": _text(
        "Le fichier du niveau {level} du journal est incomplet.",
        "The file of level {level} of the log is incomplete.",
        (
            "Redémarrez le nœud : ces fichiers sont reconstruits à partir de la base.",
            "Restart the node: these files are rebuilt from the database.",
        ),
        "internal",
    ),
    "evidence-log-empty": _text(
        "Le journal n'a pas encore de point de contrôle.",
        "The log has no checkpoint yet.",
        ("Réessayez après le premier acte du nœud.", "Try again after the node's first act."),
        "not-found",
    ),
    "evidence-proof-range": _text(
        "Il n'y a pas de preuve de {first} vers {second} dans ce journal.",
        "There is no proof from {first} to {second} in this log.",
        _CALLER,
        "not-found",
    ),
    "evidence-tile-unknown": _text(
        "La tuile {level}/{index} de largeur {width} n'existe pas (encore).",
        "The tile {level}/{index} of width {width} does not exist (yet).",
        _CALLER,
        "not-found",
    ),
    "evidence-tile-path": _text(
        "« {path} » n'est pas l'adresse d'une tuile.",
        "“{path}” is not the address of a tile.",
        (
            "Écrivez par exemple 0/x001/067 ou 0/000.p/12.",
            "Write for example 0/x001/067 or 0/000.p/12.",
        ),
        "not-found",
    ),
    "evidence-log-behind": _text(
        "Une feuille de cet accord vient d'être écrite et n'a pas encore de preuve.",
        "A leaf of this agreement was written just now and has no proof yet.",
        ("Réessayez dans un instant.", "Try again in a moment."),
        "unavailable",
    ),
    "evidence-agreement-unknown": _text(
        "Aucune feuille du journal ne parle de l'accord {agreement}.",
        "No leaf of the log speaks of the agreement {agreement}.",
        (
            "Vérifiez l'identifiant (`preau agreement list`).",
            "Check the id (`preau agreement list`).",
        ),
        "not-found",
    ),
}

_NOTES: Final[dict[str, Text]] = {
    "evidence-vkey-invalid": _text(
        "« {value} » n'est pas une clé de vérification C2SP.",
        "“{value}” is not a C2SP verifier key.",
        kind="invalid",
    ),
    "evidence-note-malformed": _text(
        "Ce n'est pas une note signée (C2SP signed-note).",
        "This is not a signed note (C2SP signed-note).",
        kind="invalid",
    ),
    "evidence-note-signature": _text(
        "La signature de « {name} » sur la note est fausse.",
        "The signature of “{name}” on the note is wrong.",
    ),
    "evidence-note-unsigned": _text(
        "La note n'est signée par aucune clé connue (signataires : {names}).",
        "The note is signed by no known key (signers: {names}).",
    ),
    "evidence-checkpoint-malformed": _text(
        "La note n'est pas un point de contrôle (nom, nombre de feuilles, racine).",
        "The note is not a checkpoint (name, number of leaves, root).",
        kind="invalid",
    ),
    "evidence-advance-malformed": _text(
        "Ce n'est ni un point de contrôle, ni un point de contrôle précédé de sa preuve.",
        "This is neither a checkpoint nor a checkpoint after its proof.",
        kind="invalid",
    ),
    "evidence-inclusion-wrong": _text(
        "La preuve d'inclusion de la feuille {index} parmi {size} est fausse.",
        "The inclusion proof of leaf {index} among {size} is wrong.",
    ),
    "evidence-consistency-wrong": _text(
        "La preuve de continuité de {old} à {new} feuilles est fausse.",
        "The consistency proof from {old} to {new} leaves is wrong.",
    ),
    "evidence-leaf-malformed": _text(
        "{where} : les octets ne sont pas ceux d'une feuille.",
        "{where}: the bytes are not those of a leaf.",
    ),
}

_FRAME: Final[dict[str, Text]] = {
    "evidence-archive-unreadable": _text(
        "Le fichier n'est pas un zip lisible ({reason}).",
        "The file is not a readable zip ({reason}).",
        kind="invalid",
    ),
    "evidence-archive-too-large": _text(
        "Le fichier dépasse la limite de {limit}.",
        "The file exceeds the limit of {limit}.",
        kind="invalid",
    ),
    "evidence-archive-path": _text(
        "« {where} » n'a pas sa place dans un dossier de preuves.",
        "“{where}” does not belong in a bundle.",
        kind="invalid",
    ),
    "evidence-archive-duplicate": _text(
        "{where} figure deux fois dans le zip.",
        "{where} stands twice in the zip.",
        kind="invalid",
    ),
    "evidence-file-missing": _text("{where} manque.", "{where} is missing."),
    "evidence-file-malformed": _text(
        "{where} n'a pas la forme attendue ({reason}).",
        "{where} has not the expected form ({reason}).",
    ),
    "evidence-file-unlisted": _text(
        "{where} est dans le dossier sans y être annoncé.",
        "{where} is in the bundle without being announced.",
    ),
    "evidence-file-changed": _text(
        "{where} n'a pas l'empreinte que l'index lui donne.",
        "{where} has not the digest the index gives it.",
    ),
    "evidence-member": _text(
        "{where} : « {member} » manque ou n'a pas la forme attendue.",
        "{where}: “{member}” is missing or has not the expected form.",
    ),
    "evidence-node-stranger": _text(
        "{where} : {did} n'est pas une partie de l'accord.",
        "{where}: {did} is no party to the agreement.",
    ),
    "evidence-index-agreement": _text(
        "{where} nomme un autre accord que agreement.json.",
        "{where} names another agreement than agreement.json.",
    ),
    "evidence-key-unknown": _text(
        "{where} est signé avec {method}, qui n'est pas une clé d'engagement de {did} retenue "
        "par le journal.",
        "{where} is signed with {method}, which is no assertion key of {did} recorded by the log.",
    ),
    "evidence-proof": _text(
        "{where} : la signature de {did} n'est pas valable ({reason}).",
        "{where}: the signature of {did} is not valid ({reason}).",
    ),
    "evidence-did-malformed": _text(
        "{where} n'est pas un document DID utilisable.",
        "{where} is not a usable DID document.",
    ),
    "evidence-did-unlogged": _text(
        "{where} : aucune feuille ne retient ce document de {did}.",
        "{where}: no leaf records this document of {did}.",
    ),
    "evidence-did-missing": _text(
        "Le document DID de {did} manque : ses signatures ne peuvent pas être vérifiées.",
        "The DID document of {did} is missing: its signatures cannot be checked.",
    ),
    "evidence-did-absent": _text(
        "Le dossier ne contient pas de document DID de {did}.",
        "The bundle holds no DID document of {did}.",
        _OTHER_SIDE,
    ),
    "evidence-checkpoint-index": _text(
        "Le point de contrôle n'est pas celui que l'index annonce : il a été remplacé.",
        "The checkpoint is not the one the index announces: it was replaced.",
    ),
    "evidence-leaf-outside": _text(
        "{where} : la feuille {index} n'est pas dans le journal à {size} feuilles de ce point de "
        "contrôle.",
        "{where}: leaf {index} is not in the log of {size} leaves of this checkpoint.",
    ),
    "evidence-leaf-foreign": _text(
        "{where} : la feuille {index} n'est pas de cet accord.",
        "{where}: leaf {index} is not of this agreement.",
    ),
    "evidence-leaf-body": _text(
        "{where} : le contenu montré n'est pas celui que la feuille {index} engage.",
        "{where}: the body shown is not the one that leaf {index} commits to.",
    ),
    "evidence-leaf-order": _text(
        "{where} : la feuille {index} n'est pas après la précédente.",
        "{where}: leaf {index} does not come after the one before.",
    ),
    "evidence-leaf-time": _text(
        "{where} : l'heure de la feuille {index} recule.",
        "{where}: the time of leaf {index} goes back.",
    ),
    "evidence-leaf-gap": _text(
        "{where} : la feuille {index} ({type}) porte le numéro {found} au lieu de {expected} : "
        "il en manque, ou elle est de trop.",
        "{where}: leaf {index} ({type}) bears number {found} instead of {expected}: some are "
        "missing, or it is one too many.",
    ),
    "evidence-more-failures": _text(
        "{count} autres défauts du même contrôle.",
        "{count} more faults of the same check.",
    ),
    "evidence-nothing-private": _text(
        "Le dossier ne contient pas de contenu réservé : rien à contrôler.",
        "The bundle holds no private bodies: nothing to check.",
        _NOTHING,
    ),
    "evidence-log-not-given": _text(
        "Aucun autre point de contrôle fourni : que ce journal soit montré à tous à l'identique "
        "n'est pas vérifié.",
        "No other checkpoint given: that this log is shown to everybody alike is not checked.",
        (
            "Obtenez-en un ailleurs (l'autre partie, /log/checkpoint) et donnez-le avec --log.",
            "Obtain one elsewhere (the other party, /log/checkpoint) and give it with --log.",
        ),
    ),
    "evidence-log-other": _text(
        "Le point de contrôle fourni est celui d'un autre journal ({found}).",
        "The checkpoint given is that of another log ({found}).",
    ),
    "evidence-log-fork": _text(
        "Le point de contrôle fourni et celui du dossier ne viennent pas du même journal : "
        "à {size} feuilles, l'un n'est pas le prolongement de l'autre.",
        "The checkpoint given and that of the bundle are not of one log: at {size} leaves one does "
        "not extend the other.",
        _OTHER_SIDE,
    ),
    "evidence-log-no-proof": _text(
        "Sans preuve de continuité de {size} à {larger} feuilles, la suite des deux points "
        "n'est pas vérifiée ; seuls la clé et le nom du journal le sont.",
        "Without a consistency proof from {size} to {larger} leaves, that one checkpoint continues "
        "the other is not checked; only the log's key and name are.",
        (
            "Mettez la preuve devant le point de contrôle (docs/evidence.md, “Two checkpoints”).",
            "Put the proof before the checkpoint (docs/evidence.md, “Two checkpoints”).",
        ),
    ),
    "evidence-log-newer": _text(
        "Le journal compte {found} feuilles, ce dossier s'arrête à {size} : ce qui est venu "
        "après n'y est pas.",
        "The log counts {found} leaves, this bundle stops at {size}: what came after is not in it.",
        ("Demandez un dossier plus récent.", "Ask for a newer bundle."),
    ),
    "evidence-log-older": _text(
        "Le point de contrôle fourni ({size} feuilles) est antérieur à la feuille {index} du "
        "dossier.",
        "The checkpoint given ({size} leaves) is older than leaf {index} of the bundle.",
        ("Obtenez-en un plus récent.", "Obtain a newer one."),
    ),
}

_TERMS: Final[dict[str, Text]] = {
    "evidence-agreement-changed": _text(
        "{where} n'est pas l'accord que la feuille {index} a retenu.",
        "{where} is not the agreement that leaf {index} recorded.",
    ),
    "evidence-agreement-form": _text(
        "{where} : les règles ne sont pas celles de l'accord signé, dans leur forme unique.",
        "{where}: the rules are not those of the signed agreement in their one form.",
    ),
    "evidence-agreement-id": _text(
        "{where} : l'identifiant devrait être {expected}, qui découle des parties et de la "
        "négociation.",
        "{where}: the id should be {expected}, which follows from the parties and the negotiation.",
    ),
    "evidence-agreement-other": _text(
        "{where} est d'un autre accord.",
        "{where} is of another agreement.",
    ),
    "evidence-assent-missing": _text(
        "Aucune feuille ne retient l'engagement de {did}.",
        "No leaf records the assent of {did}.",
    ),
    "evidence-assent-changed": _text(
        "{where} : la signature de {did} n'est pas celle que le journal a retenue.",
        "{where}: the signature of {did} is not the one the log recorded.",
    ),
    "evidence-signaled": Text(
        "unavailable",
        "L'accord a été conclu par un autre plan de contrôle de l'institution : ce que {did} y a "
        "accepté n'est pas dans ce paquet.",
        "Another control plane of the institution made the agreement: what {did} accepted there is "
        "not in this bundle.",
        "Demandez ses messages à ce plan de contrôle ; le reste est vérifié ici.",
        "Ask that control plane for its messages; the rest is verified here.",
    ),
    "evidence-attested": _text(
        "{did} n'a pas signé l'accord : son engagement est attesté par le transport (message "
        "authentifié).",
        "{did} did not sign the agreement: its assent is attested by transport (authenticated "
        "message).",
        _OTHER_SIDE,
    ),
    "evidence-dataset-unsigned": _text(
        "{did} ne signe pas son catalogue : le jeu de données est montré tel qu'il a été reçu.",
        "{did} does not sign its catalog: the dataset is shown as it was received.",
        _NOTHING,
    ),
    "evidence-parties": _text(
        "{where} ne parle pas des mêmes parties ou du même jeu de données que l'accord.",
        "{where} does not speak of the same parties or dataset as the agreement.",
    ),
    "evidence-wider": _text(
        "{where} ne couvre pas l'accord sur {operand} : « {outer} » là, « {inner} » dans l'accord.",
        "{where} does not cover the agreement on {operand}: “{outer}” there, “{inner}” in it.",
    ),
    "evidence-offer-unknown": _text(
        "{where} : l'offre {offer} n'a été faite ni dans le catalogue ni dans la négociation.",
        "{where}: the offer {offer} was made neither in the catalog nor in the negotiation.",
    ),
    "evidence-document-changed": _text(
        "{where} n'est pas le document que l'accord nomme.",
        "{where} is not the document that the agreement names.",
    ),
    "evidence-document-unlogged": _text(
        "{where} n'est retenu par aucune feuille « {type} ».",
        "{where} is recorded by no leaf of type “{type}”.",
    ),
    "evidence-document-missing": _text(
        "{where} : le document que la feuille {index} nomme n'est pas dans le dossier.",
        "{where}: the document that leaf {index} names is not in the bundle.",
    ),
    "evidence-plan-other": _text(
        "{where} : le plan est celui d'un autre accord.",
        "{where}: the plan is that of another agreement.",
    ),
    "evidence-no-application": _text(
        "L'accord ne nomme pas de demande : rien à contrôler.",
        "The agreement names no application: nothing to check.",
        _NOTHING,
    ),
    "evidence-no-plan": _text(
        "Le dossier ne contient pas de plan : seul le fournisseur en a un.",
        "The bundle holds no plan: only the provider has one.",
        _OTHER_SIDE,
    ),
}

_STORY: Final[dict[str, Text]] = {
    "evidence-message-name": _text(
        "{where} : le nom du fichier n'est pas celui du message.",
        "{where}: the file's name is not that of the message.",
    ),
    "evidence-message-missing": _text(
        "{where} : le message que la feuille {index} nomme n'est pas dans le dossier.",
        "{where}: the message that leaf {index} names is not in the bundle.",
    ),
    "evidence-message-unlogged": _text(
        "{where} n'est retenu par aucune feuille.",
        "{where} is recorded by no leaf.",
    ),
    "evidence-message-path": _text(
        "{where} (feuille {index}) : le protocole ne permet pas ce message à cet endroit.",
        "{where} (leaf {index}): the protocol does not allow this message here.",
    ),
    "evidence-message-state": _text(
        "{where} : la feuille {index} dit un autre état que le protocole.",
        "{where}: leaf {index} says another state than the protocol.",
    ),
    "evidence-message-unagreed": _text(
        "Les messages ne mènent pas à un accord.",
        "The messages do not lead to an agreement.",
    ),
    "evidence-decision-missing": _text(
        "{where} : la décision que la feuille {index} nomme n'est pas dans le dossier.",
        "{where}: the decision that leaf {index} names is not in the bundle.",
    ),
    "evidence-decision-unlogged": _text(
        "{where} n'est retenu par aucune feuille.",
        "{where} is recorded by no leaf.",
    ),
    "evidence-no-decision": _text(
        "Le dossier ne contient aucune décision : rien à contrôler.",
        "The bundle holds no decision: nothing to check.",
        _NOTHING,
    ),
}

_RELEASE: Final[dict[str, Text]] = {
    "evidence-part-order": _text(
        "{where} : à la place {part}, une autre partie, ou aucune.",
        "{where}: at place {part} stands another part, or none.",
    ),
    "evidence-part-unlogged": _text(
        "{where} : cette partie n'a pas de feuille dans le journal.",
        "{where}: this part has no leaf in the log.",
    ),
    "evidence-part-differs": _text(
        "{where} : le manifeste dit {member} = {listed}, la feuille {index} dit {logged}.",
        "{where}: the manifest says {member} = {listed}, leaf {index} says {logged}.",
    ),
    "evidence-part-leaf": _text(
        "{where} : le manifeste nomme une autre feuille que la {index}.",
        "{where}: the manifest names another leaf than {index}.",
    ),
    "evidence-part-unlisted": _text(
        "{where} : la partie {part} (feuille {index}) est au journal mais pas au manifeste.",
        "{where}: part {part} (leaf {index}) is in the log but not in the manifest.",
    ),
    "evidence-parts-elsewhere": _text(
        "Les parties sont au journal du fournisseur, pas dans celui de ce dossier.",
        "The parts are in the provider's log, not in that of this bundle.",
        _OTHER_SIDE,
    ),
    "evidence-no-transfer": _text(
        "Le dossier ne contient pas de transfert terminé : rien à contrôler.",
        "The bundle holds no finished transfer: nothing to check.",
        _NOTHING,
    ),
    "evidence-no-receipt": _text(
        "Le dossier ne contient pas de reçu : rien à contrôler.",
        "The bundle holds no receipt: nothing to check.",
        _NOTHING,
    ),
    "evidence-receipt-alone": _text(
        "Le fournisseur n'a pas donné de manifeste signé : le reçu de {did} dit seul ce qui est "
        "arrivé.",
        "The provider gave no signed manifest: the receipt of {did} alone says what arrived.",
        _NOTHING,
    ),
    "evidence-files-plain": _text(
        "{where} est le fichier dont parle le reçu de {did} ; aucun manifeste ne le confirme.",
        "{where} is the file that the receipt of {did} speaks of; no manifest confirms it.",
        _NOTHING,
    ),
    "evidence-receipt-other": _text(
        "{where} est le reçu d'un autre manifeste.",
        "{where} is the receipt of another manifest.",
    ),
    "evidence-files-not-given": _text(
        "Les fichiers reçus n'ont pas été fournis.",
        "The received files were not given.",
        ("Donnez leur dossier avec --files.", "Give their folder with --files."),
    ),
    "evidence-files-other": _text(
        "{where} n'est pas celui du dossier de preuves.",
        "{where} is not the one of the bundle.",
    ),
    "evidence-files-part": _text(
        "{where} : les octets ne sont pas ceux que le manifeste nomme.",
        "{where}: the bytes are not those the manifest names.",
    ),
    "evidence-files-rows": _text(
        "{where} : le nombre de lignes n'est pas celui du manifeste.",
        "{where}: the number of rows is not that of the manifest.",
    ),
    "evidence-files-more": _text(
        "{where} : il y a des données après la dernière partie du manifeste.",
        "{where}: there is data after the last part of the manifest.",
    ),
}

TEXTS: Final[dict[str, Text]] = {**_LOG, **_NOTES, **_FRAME, **_TERMS, **_STORY, **_RELEASE}
