"""Texts of the problems that the `identity` room can name."""

from typing import Final

from policies.problem import Text

_ASK_PEER_FR: Final = "Signalez-le à l'exploitant de ce nœud : son document DID doit être corrigé."
_ASK_PEER_EN: Final = "Tell the operator of that node: its DID document has to be corrected."
_FRESH_FR: Final = (
    "Présentez un jeton auto-émis neuf, conforme au profil de Préau (docs/architecture.md)."
)
_FRESH_EN: Final = (
    "Present a fresh Self-Issued token as Préau's profile says (docs/architecture.md)."
)
_DID_FR: Final = (
    "Écrivez par exemple did:web:donnees.universite.fr ou did:web:hote.fr%3A8443:chemin."
)
_DID_EN: Final = "Write for example did:web:data.university.org or did:web:host.org%3A8443:path."

TEXTS: Final[dict[str, Text]] = {
    "identity-passphrase-short": Text(
        "invalid",
        "La phrase secrète a moins de {least} caractères.",
        "The passphrase has fewer than {least} characters.",
        "Choisissez-en une plus longue, par exemple six mots tirés au hasard.",
        "Choose a longer one, for example six words drawn at random.",
    ),
    "identity-sealed-invalid": Text(
        "invalid",
        "Ce fichier ne contient pas de clés scellées par Préau.",
        "This file holds no keys sealed by Préau.",
        "Donnez le fichier que « preau key export » ou « preau backup » a écrit.",
        "Give the file that “preau key export” or “preau backup” wrote.",
    ),
    "identity-sealed-passphrase": Text(
        "refused",
        "Les clés ne s'ouvrent pas : autre phrase secrète, ou fichier modifié.",
        "The keys do not open: another passphrase, or the file was changed.",
        "Vérifiez la phrase secrète de cette sauvegarde-là.",
        "Check the passphrase of this very backup.",
    ),
    # ---------------------------------------------------------------- keys
    "identity-keys-exist": Text(
        "conflict",
        "Il y a déjà quelque chose dans {path} : les clés d'un nœud ne sont jamais remplacées.",
        "Something lies in {path} already: the keys of a node are never overwritten.",
        "Choisissez un autre dossier, ou déplacez celui-ci si vous voulez vraiment un nœud neuf.",
        "Choose another folder, or move this one away if you are sure you want a new node.",
    ),
    "identity-keys-missing": Text(
        "invalid",
        "La clé « {name} » manque dans {path}.",
        "The key “{name}” is missing in {path}.",
        "Restaurez le dossier des clés depuis la sauvegarde, ou créez le nœud avec preau init.",
        "Restore the folder of keys from its backup, or create the node with preau init.",
    ),
    "identity-edc-header": Text(
        "unauthenticated",
        "L'en-tête d'identité n'est pas celui d'un EDC à identité simulée.",
        "The identity header is not that of an EDC with mock identity.",
        "Envoyez un objet JSON avec « clientId ».",
        "Send a JSON object with “clientId”.",
    ),
    "identity-edc-name": Text(
        "invalid",
        "« {name} » ne peut nommer un EDC à identité simulée.",
        "“{name}” cannot name an EDC with mock identity.",
        "Donnez son edc.participant.id : lettres, chiffres et . _ : / -, sans préfixe « did: ».",
        "Give its edc.participant.id: letters, digits and . _ : / -, without the prefix “did:”.",
    ),
    "identity-edc-url": Text(
        "invalid",
        "{url} n'est pas l'adresse d'un connecteur.",
        "{url} is not the address of a connector.",
        "Donnez une adresse http(s) sans requête ni fragment.",
        "Give an http(s) address without query or fragment.",
    ),
    "identity-key-mode": Text(
        "refused",
        "{path} peut être lu par d'autres que son propriétaire (mode {mode}).",
        "{path} can be read by others than its owner (mode {mode}).",
        "Tapez : chmod {wanted} {path} ; si d'autres ont pu lire cette clé, changez-la.",
        "Type: chmod {wanted} {path}; if others may have read this key, replace it.",
    ),
    "identity-key-unreadable": Text(
        "invalid",
        "{path} ne contient pas une clé de la sorte attendue.",
        "{path} does not hold a key of the expected kind.",
        "Restaurez ce fichier depuis la sauvegarde des clés.",
        "Restore this file from the backup of the keys.",
    ),
    # ---------------------------------------------------------------- did:web
    "identity-did-method": Text(
        "invalid",
        "« {did} » n'est pas un DID de la méthode web.",
        "“{did}” is not a DID of the method web.",
        _DID_FR,
        _DID_EN,
    ),
    "identity-did-host": Text(
        "invalid",
        "L'hôte de « {did} » n'est pas un nom de domaine complet en minuscules ASCII.",
        "The host of “{did}” is not a full domain name in lower-case ASCII.",
        _DID_FR + " Une adresse IP n'est pas un hôte ; un nom accentué s'écrit en xn--.",
        _DID_EN + " An IP address is no host; an accented name is written as xn--.",
    ),
    "identity-did-port": Text(
        "invalid",
        "Le port de « {did} » n'est pas un nombre de 1 à 65535 écrit après %3A.",
        "The port of “{did}” is not a number from 1 to 65535 written after %3A.",
        _DID_FR,
        _DID_EN,
    ),
    "identity-did-path": Text(
        "invalid",
        "Un segment du chemin de « {did} » est vide, fait de points, ou a un signe interdit.",
        "A path segment of “{did}” is empty, made of dots, or holds a forbidden character.",
        "Seuls les lettres ASCII, les chiffres, « . », « _ » et « - » sont admis. " + _DID_FR,
        "Only ASCII letters, digits, “.”, “_” and “-” are allowed. " + _DID_EN,
    ),
    "identity-did-loopback": Text(
        "refused",
        "« {did} » désigne la machine elle-même, ce qui n'est admis qu'en développement.",
        "“{did}” names the machine itself, which is allowed in development only.",
        "Donnez au nœud son nom public, ou créez-le avec preau init --dev.",
        "Give the node its public name, or create it with preau init --dev.",
    ),
    "identity-url-invalid": Text(
        "invalid",
        "« {url} » ne peut pas être l'adresse publique d'un nœud.",
        "“{url}” cannot be the public address of a node.",
        "Écrivez https://, un nom de domaine, un port éventuel et un chemin simple, sans plus.",
        "Write https://, a domain name, perhaps a port and a plain path, and nothing more.",
    ),
    "identity-did-unresolved": Text(
        "unavailable",
        "Aucun document n'est publié pour {did} (réponse {status}).",
        "No document is published for {did} (answer {status}).",
        "Vérifiez le DID ; si l'erreur demeure, prévenez l'exploitant de ce nœud.",
        "Check the DID; if the error stays, tell the operator of that node.",
    ),
    # ---------------------------------------------------------------- DID documents
    "identity-document-size": Text(
        "invalid",
        "Le document DID de {did} dépasse {limit} octets.",
        "The DID document of {did} has more than {limit} bytes.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "identity-document-malformed": Text(
        "invalid",
        "Le document DID de {did} n'est pas lisible ({member}).",
        "The DID document of {did} cannot be read ({member}).",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "identity-document-other": Text(
        "invalid",
        "Le document trouvé pour {did} parle d'un autre DID.",
        "The document found for {did} is about another DID.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "identity-document-private-key": Text(
        "refused",
        "Le document DID de {did} publie une clé privée : plus rien de cette clé n'est croyable.",
        "The DID document of {did} publishes a private key: nothing from that key can be believed.",
        "Prévenez l'exploitant de ce nœud au plus vite : cette clé doit être remplacée.",
        "Tell the operator of that node at once: this key has to be replaced.",
    ),
    "identity-key-unknown": Text(
        "invalid",
        "Le document DID de {did} ne connaît pas la clé {kid}.",
        "The DID document of {did} does not know the key {kid}.",
        "La clé a peut-être été remplacée : demandez un document DID plus récent, ou à ce nœud.",
        "The key may have been replaced: ask for a newer DID document, or ask that node.",
    ),
    "identity-key-unsupported": Text(
        "invalid",
        "La clé {kid} n'est pas d'une sorte admise (P-256 ou Ed25519), ou n'est pas à {did}.",
        "The key {kid} is not of an accepted kind (P-256 or Ed25519), or does not belong to {did}.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "identity-key-relationship": Text(
        "invalid",
        "La clé {kid} n'est pas déclarée pour cet usage ({relationship}).",
        "The key {kid} is not listed for this use ({relationship}).",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "identity-service-missing": Text(
        "invalid",
        "Le document DID de {did} n'annonce aucun service {type}.",
        "The DID document of {did} announces no service {type}.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "identity-address-foreign": Text(
        "refused",
        "L'adresse {origin} n'est pas un service que {did} annonce dans son document DID.",
        "The address {origin} is no service that {did} announces in its DID document.",
        "Le participant doit annoncer cette adresse (DataService) ou utiliser celle qu'il annonce.",
        "The participant must announce this address (DataService), or use the one it announces.",
    ),
    "identity-snapshot-digest": Text(
        "refused",
        "Un document DID joint n'a pas l'empreinte annoncée ({digest}).",
        "An enclosed DID document does not have the announced digest ({digest}).",
        "Le fichier a été modifié : redemandez le dossier de preuve à qui l'a fait.",
        "The file was changed: ask whoever made the bundle for it again.",
    ),
    # ---------------------------------------------------------------- tokens
    "identity-static-file": Text(
        "refused",
        "Le secret partagé de {path} manque, est trop court ou peut être lu par d'autres.",
        "The shared secret expected in {path} is missing, too short, or readable by others.",
        "Écrivez-y au moins 16 caractères sans blanc, puis : chmod 600.",
        "Write at least 16 characters without blanks there, then: chmod 600.",
    ),
    "identity-token-missing": Text(
        "unauthenticated",
        "La demande ne porte pas de jeton (en-tête Authorization: Bearer).",
        "The request carries no token (header Authorization: Bearer).",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-size": Text(
        "unauthenticated",
        "Le jeton dépasse {limit} caractères.",
        "The token has more than {limit} characters.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-malformed": Text(
        "unauthenticated",
        "Le jeton n'est pas un JWT compact de trois segments base64url sans remplissage.",
        "The token is not a compact JWT of three unpadded base64url segments.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-type": Text(
        "unauthenticated",
        "L'en-tête du jeton ne dit pas « typ »: « JWT ».",
        "The token's header does not say “typ”: “JWT”.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-header": Text(
        "unauthenticated",
        "L'en-tête du jeton contient ce qu'il ne doit pas contenir : {names}.",
        "The token's header holds what it must not hold: {names}.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-algorithm": Text(
        "unauthenticated",
        "L'algorithme du jeton n'est pas celui de sa clé (ES256 pour P-256, EdDSA pour Ed25519).",
        "The token's algorithm is not that of its key (ES256 for P-256, EdDSA for Ed25519).",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-kid": Text(
        "unauthenticated",
        "Le jeton ne nomme pas une clé du document DID de son émetteur (« kid »).",
        "The token does not name a key of its issuer's DID document (“kid”).",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-issuer": Text(
        "unauthenticated",
        "L'émetteur et le sujet du jeton ne sont pas un même DID.",
        "Issuer and subject of the token are not one DID.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-audience": Text(
        "unauthenticated",
        "Le jeton n'est pas destiné à {audience}.",
        "The token is not meant for {audience}.",
        "Émettez un jeton dont « aud » est exactement le DID du destinataire.",
        "Issue a token whose “aud” is exactly the DID of the recipient.",
    ),
    "identity-token-jti": Text(
        "unauthenticated",
        "Le jeton n'a pas d'identifiant (« jti ») utilisable.",
        "The token has no usable identifier (“jti”).",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-replayed": Text(
        "unauthenticated",
        "Ce jeton a déjà servi.",
        "This token has been used already.",
        "Émettez un jeton neuf pour chaque demande.",
        "Issue a fresh token for every request.",
    ),
    "identity-token-times": Text(
        "unauthenticated",
        "« iat », « exp » ou « nbf » manque dans le jeton ou n'est pas un nombre.",
        "“iat”, “exp” or “nbf” is missing in the token or is no number.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-lifetime": Text(
        "unauthenticated",
        "Le jeton vaut plus de {seconds} secondes, ou finit avant de commencer.",
        "The token lives longer than {seconds} seconds, or ends before it begins.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-early": Text(
        "unauthenticated",
        "Le jeton n'est pas encore valable.",
        "The token is not valid yet.",
        "Réglez l'horloge des deux machines (NTP) : l'écart admis est de 30 secondes.",
        "Set the clocks of both machines (NTP): 30 seconds of difference are accepted.",
    ),
    "identity-token-expired": Text(
        "unauthenticated",
        "Le jeton a expiré.",
        "The token has expired.",
        "Émettez un jeton neuf ; réglez l'horloge des deux machines (NTP) si l'erreur demeure.",
        "Issue a fresh token; set the clocks of both machines (NTP) if the error stays.",
    ),
    "identity-token-key-unknown": Text(
        "unauthenticated",
        "Le document DID de l'émetteur ne connaît pas la clé du jeton ({kid}).",
        "The issuer's DID document does not know the token's key ({kid}).",
        "Publiez la clé dans le document DID, ou signez avec une clé qui s'y trouve.",
        "Publish the key in the DID document, or sign with a key that stands there.",
    ),
    "identity-token-key-unsupported": Text(
        "unauthenticated",
        "La clé du jeton ({kid}) n'est ni P-256 ni Ed25519, ou n'appartient pas à l'émetteur.",
        "The token's key ({kid}) is neither P-256 nor Ed25519, or does not belong to the issuer.",
        _FRESH_FR,
        _FRESH_EN,
    ),
    "identity-token-key-relationship": Text(
        "unauthenticated",
        "La clé du jeton ({kid}) n'est pas déclarée sous capabilityInvocation.",
        "The token's key ({kid}) is not listed under capabilityInvocation.",
        "Déclarez la clé sous capabilityInvocation dans le document DID, ou prenez celle déclarée.",
        "List the key under capabilityInvocation in the DID document, or use the one that is.",
    ),
    "identity-token-signature": Text(
        "unauthenticated",
        "La signature du jeton ne correspond pas à sa clé.",
        "The token's signature does not match its key.",
        _FRESH_FR,
        _FRESH_EN,
    ),
}
