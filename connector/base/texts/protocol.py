"""Texts of the problems that the `protocol` room can name.

Most of them are read by the operators of *other* nodes, in the `reason` of an error object.
"""

from typing import Final

from policies.problem import Text

_SEND_AGAIN_FR: Final = "Corrigez le message puis renvoyez-le ; rien n'a changé ici."
_SEND_AGAIN_EN: Final = "Correct the message and send it again; nothing has changed here."

_JSON: Final[dict[str, Text]] = {
    "protocol-json-too-large": Text(
        "invalid",
        "Le message fait {size} octets ; la limite est de {limit}.",
        "The message has {size} bytes; the limit is {limit}.",
        "Envoyez un message plus court ou demandez à l'exploitant de relever la limite.",
        "Send a shorter message, or ask the operator to raise the limit.",
    ),
    "protocol-json-encoding": Text(
        "invalid",
        "Le message n'est pas de l'UTF-8 sans marque d'ordre (octet {at}).",
        "The message is not UTF-8 without a byte order mark (byte {at}).",
        "Envoyez du JSON encodé en UTF-8.",
        "Send JSON encoded in UTF-8.",
    ),
    "protocol-json-invalid": Text(
        "invalid",
        "Le message n'est pas du JSON (ligne {line}, colonne {column}).",
        "The message is not JSON (line {line}, column {column}).",
        _SEND_AGAIN_FR,
        _SEND_AGAIN_EN,
    ),
    "protocol-json-too-deep": Text(
        "invalid",
        "Le message est imbriqué sur plus de {limit} niveaux.",
        "The message is nested deeper than {limit} levels.",
        "Envoyez un message moins imbriqué.",
        "Send a message with less nesting.",
    ),
    "protocol-json-duplicate-key": Text(
        "invalid",
        "Le membre {where} figure deux fois.",
        "The member {where} stands there twice.",
        "Gardez un seul membre de chaque nom.",
        "Keep one member of each name.",
    ),
    "protocol-json-number": Text(
        "invalid",
        "Le nombre en {where} n'a pas de valeur commune à tous les lecteurs de JSON.",
        "The number at {where} does not have one value for all readers of JSON.",
        "Écrivez en texte les entiers au-delà de 2^53-1 ; NaN et Infinity ne sont pas du JSON.",
        "Write integers beyond 2^53-1 as text; NaN and Infinity are not JSON.",
    ),
    "protocol-json-surrogate": Text(
        "invalid",
        "Le texte en {where} contient un demi-codet isolé.",
        "The text at {where} holds a lone surrogate.",
        "Envoyez des caractères Unicode complets.",
        "Send whole Unicode characters.",
    ),
    "protocol-json-root": Text(
        "invalid",
        "Le message n'est pas un objet JSON.",
        "The message is not a JSON object.",
        _SEND_AGAIN_FR,
        _SEND_AGAIN_EN,
    ),
}

_MESSAGE: Final[dict[str, Text]] = {
    "protocol-context-missing": Text(
        "invalid",
        "« @context » ne nomme pas le contexte de Dataspace Protocol 2025-1.",
        "“@context” does not name the context of Dataspace Protocol 2025-1.",
        "Ajoutez https://w3id.org/dspace/2025/1/context.jsonld à « @context ».",
        "Add https://w3id.org/dspace/2025/1/context.jsonld to “@context”.",
    ),
    "protocol-context-inline": Text(
        "invalid",
        "« @context » contient autre chose que quelques adresses de contextes.",
        "“@context” holds something else than a few addresses of contexts.",
        "Nommez les contextes par leur adresse ; ceux écrits dans le message sont refusés.",
        "Name contexts by their address; contexts written into the message are refused.",
    ),
    "protocol-type-unexpected": Text(
        "invalid",
        "Type reçu : {found} ; type attendu ici : {expected}.",
        "Type received: {found}; type expected here: {expected}.",
        "Envoyez ce message au chemin qui lui est destiné.",
        "Send this message to the path meant for it.",
    ),
    "protocol-member-missing": Text(
        "invalid",
        "Il manque le membre {where}.",
        "The member {where} is missing.",
        _SEND_AGAIN_FR,
        _SEND_AGAIN_EN,
    ),
    "protocol-not-text": Text(
        "invalid",
        "{where} n'est pas un texte de 1 à {limit} caractères imprimables.",
        "{where} is not a text of 1 to {limit} printable characters.",
        _SEND_AGAIN_FR,
        _SEND_AGAIN_EN,
    ),
    "protocol-not-object": Text(
        "invalid",
        "{where} n'a pas la forme d'objet attendue.",
        "{where} does not have the form of object expected.",
        _SEND_AGAIN_FR,
        _SEND_AGAIN_EN,
    ),
    "protocol-not-one-of": Text(
        "invalid",
        "{where} n'est pas l'un de : {allowed}.",
        "{where} is not one of: {allowed}.",
        _SEND_AGAIN_FR,
        _SEND_AGAIN_EN,
    ),
    "protocol-not-url": Text(
        "invalid",
        "{where} n'est pas une adresse http(s) simple (sans identifiants, question ni fragment).",
        "{where} is not a plain http(s) address (no credentials, query or fragment).",
        "Donnez l'adresse de base à laquelle vos messages doivent arriver.",
        "Give the base address at which your messages are to arrive.",
    ),
    "protocol-first-or-later": Text(
        "invalid",
        "Un {type} porte soit callbackAddress (premier message), soit l'identifiant du pair.",
        "A {type} carries either callbackAddress (first message) or the peer's pid.",
        "Gardez exactement l'un des deux.",
        "Keep exactly one of the two.",
    ),
    "protocol-extension-invalid": Text(
        "invalid",
        "Le membre https://w3id.org/preau/ns#{name} n'est pas lisible.",
        "The member https://w3id.org/preau/ns#{name} cannot be read.",
        "Écrivez-y du JSON dans une chaîne, ou une référence avec son empreinte SHA-256.",
        "Write JSON into it as a string, or a reference with its SHA-256 digest.",
    ),
    "protocol-address-ambiguous": Text(
        "invalid",
        "L'adresse de données en {where} donne deux valeurs à « {name} ».",
        "The data address at {where} gives “{name}” two values.",
        "Donnez la même valeur sous toutes ses orthographes.",
        "Give the same value under all its spellings.",
    ),
    "protocol-no-common-version": Text(
        "refused",
        "Le pair ne propose pas Dataspace Protocol {expected} (il propose : {offered}).",
        "The peer does not offer Dataspace Protocol {expected} (it offers: {offered}).",
        "Demandez à l'exploitant du pair d'activer cette version.",
        "Ask the peer's operator to enable this version.",
    ),
}

_PROCESS: Final[dict[str, Text]] = {
    "protocol-illegal-act": Text(
        "invalid",
        "{act} par {by} n'est pas possible dans l'état {state} ; rien n'a changé.",
        "{act} by the {by} is not possible in state {state}; nothing has changed.",
        "Lisez l'état présent par GET avant d'envoyer la suite.",
        "Read the present state by GET before you send what follows.",
    ),
    "protocol-not-now": Text(
        "conflict",
        "{act} ({by}) n'est pas possible maintenant : l'état est {state}.",
        "{act} ({by}) is not possible now: the state is {state}.",
        "Affichez le processus pour voir ce qui est possible.",
        "Show the process to see what is possible.",
    ),
    "protocol-final-is-near": Text(
        "conflict",
        "L'accord est vérifié, le fournisseur va le finaliser : trop tard pour y mettre fin.",
        "The agreement is verified and the provider is about to finalize it: too late to end it.",
        "Attendez la finalisation, puis ne demandez aucun transfert sous cet accord.",
        "Wait until it is final, then ask for no transfer under this agreement.",
    ),
    "protocol-pid-mismatch": Text(
        "invalid",
        "{member} manque ou n'est pas celui de ce processus.",
        "{member} is missing or is not the one of this process.",
        "Reprenez les identifiants donnés au premier échange.",
        "Use the identifiers given in the first exchange.",
    ),
    "protocol-not-acknowledged": Text(
        "conflict",
        "Le pair n'a pas encore répondu à notre premier message : son identifiant est inconnu.",
        "The peer has not answered our first message yet: its identifier is unknown.",
        "Réessayez quand il aura répondu, ou terminez l'échange.",
        "Try again when it has answered, or terminate the exchange.",
    ),
    "protocol-content": Text(
        "internal",
        "Il manque « {content} » pour {act}.",
        "“{content}” is missing for {act}.",
        "Signalez ce défaut aux mainteneurs de Préau.",
        "Report this defect to the maintainers of Préau.",
    ),
    "protocol-offer-incomplete": Text(
        "invalid",
        "Il manque « {member} » à l'offre ou à l'accord.",
        "“{member}” is missing in the offer or agreement.",
        _SEND_AGAIN_FR,
        _SEND_AGAIN_EN,
    ),
    "protocol-other-dataset": Text(
        "invalid",
        "Cette négociation porte sur {expected}, pas sur {found}.",
        "This negotiation is about {expected}, not about {found}.",
        "Ouvrez une autre négociation pour un autre jeu de données.",
        "Open another negotiation for another dataset.",
    ),
    "protocol-own-offer": Text(
        "invalid",
        "L'offre sur la table est celle du consommateur ; lui-même ne peut pas l'accepter.",
        "The offer on the table is the consumer's own; the consumer cannot accept it.",
        "Attendez l'offre ou l'accord du fournisseur.",
        "Wait for the provider's offer or agreement.",
    ),
    "protocol-agreement-assigner": Text(
        "invalid",
        "L'accord n'est pas donné (« assigner ») par {expected}, qui l'envoie.",
        "The agreement is not given (“assigner”) by {expected}, who sends it.",
        "Nommez l'expéditeur comme « assigner ».",
        "Name the sender as “assigner”.",
    ),
    "protocol-message-conflict": Text(
        "conflict",
        "Un autre message a déjà ouvert un processus sous cet identifiant.",
        "Another message has already opened a process under this identifier.",
        "Prenez un nouvel identifiant pour un nouveau processus.",
        "Use a new identifier for a new process.",
    ),
}

_SHARED: Final[dict[str, Text]] = {
    "protocol-not-found": Text(
        "not-found",
        "Il n'y a rien ici pour vous sous cet identifiant.",
        "There is nothing here for you under this identifier.",
        "Vérifiez l'identifiant et l'identité sous laquelle vous appelez.",
        "Check the identifier and the identity under which you call.",
    ),
    "protocol-try-later": Text(
        "unavailable",
        "Ce nœud ne peut pas répondre pour le moment ; rien n'a changé.",
        "This node cannot answer for the moment; nothing has changed.",
        "Renvoyez le même message plus tard.",
        "Send the same message again later.",
    ),
    "protocol-internal": Text(
        "internal",
        "Une erreur s'est produite dans ce nœud ; rien n'a changé.",
        "An error occurred in this node; nothing has changed.",
        "Renvoyez le même message plus tard ; si cela dure, prévenez l'exploitant.",
        "Send the same message again later; if it persists, tell the operator.",
    ),
}

TEXTS: Final[dict[str, Text]] = {**_JSON, **_MESSAGE, **_PROCESS, **_SHARED}
