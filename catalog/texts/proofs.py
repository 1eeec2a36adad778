"""What is wrong with a proof, and with what is verified by its keys."""

from typing import Final

from catalog.texts.advice import ASK_PEER_EN, ASK_PEER_FR
from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "catalog-proof-context": Text(
        "refused",
        "Le contexte signé n'est pas celui du document : ses mots pourraient avoir changé de sens.",
        "The signed context is not the document's: its words may have changed their meaning.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-proof-cryptosuite": Text(
        "refused",
        "La preuve utilise « {found} » ; seule « eddsa-jcs-2022 » est acceptée.",
        "The proof uses “{found}”; only “eddsa-jcs-2022” is accepted.",
        "Demandez à l'émetteur une preuve DataIntegrityProof « eddsa-jcs-2022 ».",
        "Ask the issuer for a DataIntegrityProof with “eddsa-jcs-2022”.",
    ),
    "catalog-proof-document": Text(
        "refused",
        "Le document signé n'a pas de forme canonique ({reason}) ; sa signature ne prouve rien.",
        "The signed document has no canonical form ({reason}); its signature proves nothing.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-proof-encoding": Text(
        "refused",
        "Une clé ou une signature n'est pas écrite en multibase base58btc.",
        "A key or a signature is not written in multibase base58btc.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-proof-invalid": Text(
        "refused",
        "La signature n'est pas valable : le document a été modifié, ou un autre l'a signé.",
        "The signature is not valid: the document was altered, or another key signed it.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-proof-key": Text(
        "refused",
        "La clé n'est pas une clé publique Ed25519 de 32 octets.",
        "The key is not an Ed25519 public key of 32 bytes.",
        "Vérifiez le document DID de l'émetteur.",
        "Check the DID document of the issuer.",
    ),
    "catalog-proof-malformed": Text(
        "refused",
        "Le membre « {member} » de la preuve manque ou n'a pas la bonne forme.",
        "The member “{member}” of the proof is missing or has the wrong form.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-proof-method": Text(
        "refused",
        "La clé « {method} » ne figure pas parmi celles avec lesquelles {did} peut affirmer.",
        "The key “{method}” is not among those with which {did} may make assertions.",
        "Récupérez le document DID à jour ; si la clé n'y est pas, refusez le document.",
        "Fetch the current DID document; if the key is not in it, refuse the document.",
    ),
    "catalog-proof-missing": Text(
        "refused",
        "Le document n'est pas signé.",
        "The document is not signed.",
        "Demandez la version signée à l'institution qui le publie.",
        "Ask the institution that publishes it for the signed version.",
    ),
    "catalog-proof-purpose": Text(
        "refused",
        "La preuve sert à « {found} », il faut « {expected} ».",
        "The proof is for “{found}”, “{expected}” is needed.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-proof-several": Text(
        "refused",
        "Le document porte plusieurs preuves ou en porte déjà une ; une seule est permise.",
        "The document carries several proofs or has one already; only one is allowed.",
        "Retirez les autres preuves avant de signer ou de vérifier.",
        "Remove the other proofs before signing or verifying.",
    ),
    "catalog-proof-unknown-member": Text(
        "refused",
        "La preuve a un membre inconnu : « {member} ».",
        "The proof has an unknown member: “{member}”.",
        "Utilisez une version de Préau qui le connaît, ou refusez le document.",
        "Use a version of Préau that knows it, or refuse the document.",
    ),
    "catalog-did-malformed": Text(
        "invalid",
        "Le document DID n'est pas lisible (membre « {member} »).",
        "The DID document cannot be read (member “{member}”).",
        "Récupérez-le à nouveau chez l'institution.",
        "Fetch it again from the institution.",
    ),
    "catalog-did-no-key": Text(
        "refused",
        "Le document de {did} ne donne aucune clé Ed25519 pour affirmer (assertionMethod).",
        "The document of {did} gives no Ed25519 key for assertions (assertionMethod).",
        "Récupérez le document DID à jour.",
        "Fetch the current DID document.",
    ),
    "catalog-did-other": Text(
        "refused",
        "Ce document DID est celui de {found}, pas de {expected}.",
        "This DID document is that of {found}, not of {expected}.",
        "Donnez le document DID de l'institution qui publie.",
        "Give the DID document of the institution that publishes.",
    ),
    "catalog-file-unknown": Text(
        "invalid",
        "Ce fichier n'est ni une tête de catalogue, ni un document de jeu de données, ni un "
        "catalogue enregistré.",
        "This file is neither a catalog head, nor a dataset document, nor a saved catalog.",
        "Enregistrez le catalogue avec « preau catalog save DIR ».",
        "Save the catalog with “preau catalog save DIR”.",
    ),
    "catalog-publisher-other": Text(
        "refused",
        "Le document est publié au nom de {found}, pas de {expected}.",
        "The document is published in the name of {found}, not of {expected}.",
        "Vérifiez-le avec le document DID de cette institution, ou refusez-le.",
        "Verify it with the DID document of that institution, or refuse it.",
    ),
}
