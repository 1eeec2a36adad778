"""Texts of the problems that the `http` room can name."""

from typing import Final

from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "http-internal": Text(
        "internal",
        "Le nœud a rencontré une erreur de son fait ; rien n'a changé.",
        "The node met an error of its own; nothing changed.",
        "Réessayez ; si cela dure, l'opérateur trouvera l'endroit dans le journal.",
        "Try again; if it lasts, the operator will find the place in the log.",
    ),
    "http-too-large": Text(
        "invalid",
        "Le corps de la requête dépasse {limit} octets.",
        "The request's body is larger than {limit} bytes.",
        "Envoyez moins, ou demandez à l'opérateur de relever limits.message_bytes.",
        "Send less, or ask the operator to raise limits.message_bytes.",
    ),
    "http-malformed": Text(
        "invalid",
        "Ce qui est arrivé ne se lit pas comme du HTTP/1.1.",
        "What arrived cannot be read as HTTP/1.1.",
        "Vérifiez l'adresse, le port et le protocole (http ou https).",
        "Check the address, the port and the protocol (http or https).",
    ),
    "http-head-too-large": Text(
        "invalid",
        "Les en-têtes de la requête dépassent {limit} octets.",
        "The request's headers are larger than {limit} bytes.",
        "Envoyez moins d'en-têtes, une adresse plus courte, ou un jeton plus petit.",
        "Send fewer headers, a shorter address, or a smaller token.",
    ),
    "http-slow": Text(
        "invalid",
        "La requête n'est pas arrivée en entier en {seconds} secondes.",
        "The request did not arrive as a whole within {seconds} seconds.",
        "Envoyez-la de nouveau, d'un seul tenant.",
        "Send it again, in one go.",
    ),
    "http-broken-off": Text(
        "invalid",
        "La requête s'est interrompue avant sa fin.",
        "The request broke off before its end.",
        "Envoyez-la de nouveau.",
        "Send it again.",
    ),
    "http-encoding": Text(
        "invalid",
        "Ce nœud ne lit pas de corps compressé.",
        "This node reads no compressed body.",
        "Envoyez la requête sans Content-Encoding.",
        "Send the request without Content-Encoding.",
    ),
    "http-media-type": Text(
        "invalid",
        "Le corps doit être du JSON ; le type annoncé est « {found} ».",
        "The body must be JSON; the type announced is “{found}”.",
        "Envoyez Content-Type: application/json.",
        "Send Content-Type: application/json.",
    ),
    "http-no-token": Text(
        "unauthenticated",
        "La requête ne porte pas de jeton.",
        "The request carries no token.",
        "Envoyez Authorization: Bearer <jeton>.",
        "Send Authorization: Bearer <token>.",
    ),
    "http-not-found": Text(
        "not-found",
        "Il n'y a rien à cette adresse.",
        "There is nothing at this address.",
        "Vérifiez l'adresse ; ce que vous ne pouvez pas voir répond de même.",
        "Check the address; what you may not see answers the same.",
    ),
    "http-method": Text(
        "invalid",
        "Cette adresse n'accepte pas cette méthode.",
        "This address does not take this method.",
        "Consultez docs/api.md.",
        "See docs/api.md.",
    ),
    "http-upload-parts": Text(
        "invalid",
        "L'envoi doit contenir deux fichiers : « about » et « file ».",
        "The upload must hold two files: “about” and “file”.",
        "Utilisez « preau dataset add FICHIER --about ABOUT.toml ».",
        "Use “preau dataset add FILE --about ABOUT.toml”.",
    ),
    "http-member": Text(
        "invalid",
        "Le membre « {member} » manque ou n'a pas la bonne forme.",
        "The member “{member}” is missing or has not the right form.",
        "Consultez docs/api.md.",
        "See docs/api.md.",
    ),
}
