"""What is wrong with a document, with what is projected from it, or with a head."""

from typing import Final

from catalog.texts.advice import ASK_PEER_EN, ASK_PEER_FR
from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "catalog-member-invalid": Text(
        "invalid",
        "La valeur de « {where} » n'est pas valable ; attendu : {expected}.",
        "The value of “{where}” is not valid; expected: {expected}.",
        "Corrigez cette valeur à la source.",
        "Correct this value at its source.",
    ),
    "catalog-member-missing": Text(
        "invalid",
        "Il manque le membre « {name} » en {where}.",
        "The member “{name}” is missing at {where}.",
        "Ajoutez-le.",
        "Add it.",
    ),
    "catalog-member-twice": Text(
        "invalid",
        "« {name} » apparaît deux fois dans « {where} ».",
        "“{name}” stands twice in “{where}”.",
        "Gardez-en un seul.",
        "Keep only one.",
    ),
    "catalog-member-unknown": Text(
        "invalid",
        "Le membre « {name} » en {where} est inconnu ; rien d'inconnu n'est ignoré dans ce qui "
        "est signé.",
        "The member “{name}” at {where} is unknown; nothing unknown is ignored in what is signed.",
        "Utilisez une version de Préau qui le connaît, ou refusez le document.",
        "Use a version of Préau that knows it, or refuse the document.",
    ),
    "catalog-document-form": Text(
        "refused",
        "Le document n'est pas écrit sous sa forme canonique, en {where}.",
        "The document is not written in its canonical form, at {where}.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-document-missing": Text(
        "not-found",
        "La tête du catalogue nomme {document}, qui n'est pas là.",
        "The head of the catalog names {document}, which is not here.",
        "Récupérez ce document, puis vérifiez à nouveau.",
        "Fetch this document, then verify again.",
    ),
    "catalog-document-other": Text(
        "refused",
        "Le document {document} ne décrit pas le jeu de données que la tête du catalogue annonce.",
        "The document {document} does not describe the dataset that the catalog's head names.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-digest-other": Text(
        "refused",
        "L'empreinte du document {document} n'est pas celle que le catalogue annonce.",
        "The digest of the document {document} is not the one that the catalog names.",
        "Récupérez à nouveau le document et la tête ; s'ils diffèrent encore, refusez-les.",
        "Fetch document and head again; if they still differ, refuse them.",
    ),
    "catalog-offer-name": Text(
        "refused",
        "Le nom de l'offre {offer} ne correspond pas à ce qu'elle dit.",
        "The name of the offer {offer} does not match what it says.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-offer-parties": Text(
        "refused",
        "L'offre {offer} ne porte pas sur ce jeu de données ou n'est pas faite par son éditeur.",
        "The offer {offer} is not about this dataset or not made by its publisher.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-offer-twice": Text(
        "invalid",
        "Deux offres disent la même chose : {offer}.",
        "Two offers say the same: {offer}.",
        "Gardez-en une seule.",
        "Keep only one of them.",
    ),
    "catalog-projection-digest": Text(
        "refused",
        "Ce que le catalogue DSP dit n'est pas ce qui a été signé ({document}).",
        "What the DSP catalog says is not what was signed ({document}).",
        "Ne vous fiez qu'au document signé, et prévenez l'institution.",
        "Rely on the signed document only, and tell the institution.",
    ),
    "catalog-projection-invalid": Text(
        "invalid",
        "Le jeu de données DSP n'est pas lisible en {where}.",
        "The DSP dataset cannot be read at {where}.",
        "Lisez le document signé à la place.",
        "Read the signed document instead.",
    ),
    "catalog-projection-unknown": Text(
        "invalid",
        "Le jeu de données DSP a en {where} un membre sans équivalent : « {name} ».",
        "The DSP dataset has a member without counterpart at {where}: “{name}”.",
        "Lisez le document signé à la place.",
        "Read the signed document instead.",
    ),
    "catalog-projection-unsigned": Text(
        "refused",
        "Ce jeu de données DSP ne nomme aucun document signé.",
        "This DSP dataset names no signed document.",
        "Il vient d'un connecteur qui ne signe pas : rien ne peut être vérifié.",
        "It comes from a connector that does not sign: nothing can be verified.",
    ),
    "catalog-head-fork": Text(
        "refused",
        "La version {found} du catalogue ne suit pas la version {seen} déjà vue : deux histoires "
        "ont été signées.",
        "Version {found} of the catalog does not follow version {seen} seen before: two histories "
        "were signed.",
        "Gardez les deux têtes comme preuve et prévenez l'institution ; ne négociez pas.",
        "Keep both heads as evidence and tell the institution; do not negotiate.",
    ),
    "catalog-head-other": Text(
        "refused",
        "La tête {found} n'est pas du même catalogue que {expected}.",
        "The head {found} is not of the same catalog as {expected}.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-head-returned": Text(
        "refused",
        "Le jeu de données {dataset}, retiré, revient ou perd la trace de son retrait.",
        "The withdrawn dataset {dataset} comes back or loses its tombstone.",
        "Publiez-le sous un nouvel identifiant.",
        "Publish it under a new identifier.",
    ),
    "catalog-head-rewritten": Text(
        "refused",
        "Le document {document} a changé d'empreinte ; un document signé ne change jamais.",
        "The document {document} changed its digest; a signed document never changes.",
        "Publiez une nouvelle version (/v2, /v3 …) au lieu de réécrire.",
        "Publish a new version (/v2, /v3 …) instead of rewriting.",
    ),
    "catalog-head-rollback": Text(
        "refused",
        "Le catalogue est revenu à la version {found}, la version {seen} a déjà été vue.",
        "The catalog went back to version {found}, version {seen} was seen before.",
        "Prévenez l'institution : une sauvegarde ancienne ou un tiers répond à sa place.",
        "Tell the institution: an old backup or somebody else answers in its place.",
    ),
    "catalog-head-time": Text(
        "refused",
        "La tête {found} est datée d'avant la précédente.",
        "The head {found} is dated before the previous one.",
        "Vérifiez l'horloge du nœud qui publie.",
        "Check the clock of the node that publishes.",
    ),
    "catalog-head-vanished": Text(
        "refused",
        "Le jeu de données {dataset} a disparu sans acte de retrait.",
        "The dataset {dataset} vanished without a tombstone.",
        "Retirez-le avec « preau dataset withdraw », qui laisse une trace.",
        "Withdraw it with “preau dataset withdraw”, which leaves a trace.",
    ),
}
