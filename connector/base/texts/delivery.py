"""Texts of the problems that the `delivery` room can name. They name hosts, never URLs."""

from typing import Final

from policies.problem import Text

_PEER_FR: Final = "Prévenez l'exploitant de ce nœud ; l'envoi reprendra de lui-même s'il le peut."
_PEER_EN: Final = "Tell the operator of that node; sending resumes by itself where it can."

TEXTS: Final[dict[str, Text]] = {
    # ---------------------------------------------------------------- addresses we do not speak to
    "delivery-network-invalid": Text(
        "invalid",
        "« {network} » n'est pas un réseau IP ([egress] private).",
        "“{network}” is not an IP network ([egress] private).",
        "Écrivez par exemple 10.20.0.0/16 ou fd12:3456::/32, sans bits d'hôte.",
        "Write for example 10.20.0.0/16 or fd12:3456::/32, without host bits.",
    ),
    "delivery-url-invalid": Text(
        "invalid",
        "Une adresse à joindre n'est pas une URL simple et absolue.",
        "An address to reach is not a plain absolute URL.",
        "Une telle URL a un hôte en minuscules, sans utilisateur, fragment ni nombre déguisé.",
        "Such a URL has a lower-case host name, no user, no fragment and no number in disguise.",
    ),
    "delivery-scheme": Text(
        "refused",
        "{host} devait être joint sans chiffrement (http).",
        "{host} was to be reached without encryption (http).",
        "Seul https est admis ; http ne l'est que sur la machine même, en développement.",
        "Only https is allowed; http only on the machine itself, in development.",
    ),
    "delivery-port": Text(
        "refused",
        "Le port {port} de {host} n'est pas admis.",
        "The port {port} of {host} is not allowed.",
        "Utilisez 443, ou un port à partir de 1024.",
        "Use 443, or a port from 1024 on.",
    ),
    "delivery-address-refused": Text(
        "refused",
        "{host} mène à une adresse qui n'est pas publique : le nœud ne s'y connecte pas.",
        "{host} leads to an address that is not public: the node does not connect to it.",
        "Si c'est un réseau de confiance, ajoutez-le à [egress] private dans preau.toml.",
        "If it is a network you trust, add it to [egress] private in preau.toml.",
    ),
    # ---------------------------------------------------------------- no answer
    "delivery-unreachable": Text(
        "unavailable",
        "{host}:{port} ne répond pas (connexion impossible ou rompue).",
        "{host}:{port} does not answer (no connection, or a broken one).",
        "Vérifiez que ce nœud est en marche et que son nom est connu. " + _PEER_FR,
        "Check that the node is running and its name is known. " + _PEER_EN,
    ),
    "delivery-tls": Text(
        "unavailable",
        "Le certificat ou le chiffrement de {host}:{port} n'est pas acceptable ({fault}).",
        "The certificate or encryption of {host}:{port} is not acceptable ({fault}).",
        "Ce nœud doit présenter un certificat valable pour son nom. " + _PEER_FR,
        "That node must present a certificate valid for its name. " + _PEER_EN,
    ),
    "delivery-timeout": Text(
        "unavailable",
        "{host}:{port} n'a pas répondu à temps.",
        "{host}:{port} did not answer in time.",
        _PEER_FR,
        _PEER_EN,
    ),
    # ---------------------------------------------------------------- answers we do not use
    "delivery-garbled": Text(
        "unavailable",
        "{host}:{port} n'a pas répondu en HTTP correct.",
        "{host}:{port} did not answer in correct HTTP.",
        _PEER_FR,
        _PEER_EN,
    ),
    "delivery-too-large": Text(
        "unavailable",
        "La réponse de {host} dépasse {limit} octets.",
        "The answer of {host} has more than {limit} bytes.",
        _PEER_FR,
        _PEER_EN,
    ),
    "delivery-redirect": Text(
        "refused",
        "{host} renvoie ailleurs (réponse {status}) : le nœud ne suit aucun renvoi.",
        "{host} redirects elsewhere (answer {status}): the node follows no redirect.",
        "L'adresse publiée par ce nœud doit être la bonne. " + _PEER_FR,
        "The address that node publishes has to be the right one. " + _PEER_EN,
    ),
    "delivery-encoding": Text(
        "refused",
        "{host} a répondu sous une forme compressée, qui n'est pas admise.",
        "{host} answered in a compressed form, which is not accepted.",
        _PEER_FR,
        _PEER_EN,
    ),
    # ---------------------------------------------------------------- answers after which we go on
    "delivery-answer-busy": Text(
        "unavailable",
        "{peer} ne peut pas prendre le message maintenant (réponse {status}).",
        "{peer} cannot take the message now (answer {status}).",
        "Rien n'est à faire ici : l'envoi recommence de lui-même. Si cela dure, prévenez"
        " l'exploitant de ce nœud.",
        "Nothing has to be done here: sending is tried again by itself. If it lasts, tell the"
        " operator of that node.",
    ),
    "delivery-answer-unknown": Text(
        "unavailable",
        "{peer} ne reconnaît pas ce nœud (réponse {status}).",
        "{peer} does not recognise this node (answer {status}).",
        "Vérifiez l'horloge (« preau doctor »), puis ce que {peer} voit d'ici (« preau doctor"
        " --from {peer} ») ; ou bien il ne vous a pas ajouté.",
        "Check the clock (“preau doctor”), then what {peer} sees of you (“preau doctor --from"
        " {peer}”); or it has not added you.",
    ),
    "delivery-answer-state": Text(
        "unavailable",
        "{peer} ne connaît pas cette démarche, ou ne peut rien en faire encore (réponse {status}).",
        "{peer} does not know this matter, or can do nothing with it yet (answer {status}).",
        "Quelques essais suivent, puis la démarche prend fin ; lisez la réponse du partenaire.",
        "A few attempts follow, then the matter ends; read the peer's answer.",
    ),
    # ---------------------------------------------------------------- messages given up
    "delivery-refused": Text(
        "refused",
        "{peer} a refusé le message (réponse {status}).",
        "{peer} refused the message (answer {status}).",
        "Lisez la réponse du partenaire dans la négociation ou le transfert concerné.",
        "Read the peer's answer in the negotiation or transfer concerned.",
    ),
    "delivery-expired": Text(
        "unavailable",
        "Le message n'a pas pu être remis à {peer} avant l'échéance ({attempts} essais).",
        "The message could not be delivered to {peer} before the deadline ({attempts} attempts).",
        "Vérifiez auprès de {peer} que son nœud est en marche, puis recommencez la démarche.",
        "Ask {peer} whether its node is running, then start the matter again.",
    ),
    "delivery-unsettled": Text(
        "internal",
        "La réponse du partenaire est arrivée, mais ce nœud n'a pas pu en tenir compte.",
        "The peer's answer came, but this node could not act on it.",
        "Le message est renvoyé de lui-même ; si cela dure, lisez le journal du nœud.",
        "The message is sent again by itself; if this lasts, read the node's log.",
    ),
}
