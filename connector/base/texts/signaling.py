"""Texts of what concerns a control plane elsewhere (`services.signaling`, `protocol.signaling`).

Most of them are read by the operator of that control plane, in the error of a transfer.
"""

from typing import Final

from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "signaling-off": Text(
        "refused",
        "Ce nœud ne sert aucun plan de contrôle.",
        "This node serves no control plane.",
        "Écrivez [signaling] control_plane dans preau.toml, puis redémarrez (docs/edc.md).",
        "Write [signaling] control_plane into preau.toml, then restart (docs/edc.md).",
    ),
    "signaling-callback": Text(
        "refused",
        "Le signal vient de {found} ; le plan de contrôle de ce nœud est {expected}.",
        "The signal comes from {found}; this node's control plane is {expected}.",
        "Corrigez [signaling] control_plane dans preau.toml, puis redémarrez.",
        "Correct [signaling] control_plane in preau.toml, then restart.",
    ),
    "signaling-id": Text(
        "invalid",
        "{where} n'est pas un identifiant de {limit} caractères au plus, lisible dans une adresse.",
        "{where} is no identifier of at most {limit} characters that can stand in an address.",
        "Employez un UUID.",
        "Use a UUID.",
    ),
    "signaling-source": Text(
        "refused",
        "L'adresse de données de l'asset est de type « {found} », non « {expected} ».",
        "The asset's data address has type “{found}”, not “{expected}”.",
        "Publiez l'asset avec une adresse de données de ce type (docs/edc.md).",
        "Publish the asset with a data address of this type (docs/edc.md).",
    ),
    "signaling-address": Text(
        "invalid",
        "{where} : un « pull » commence sans adresse de données ; c'est ce nœud qui la donne.",
        "{where}: the start of a pull gives no data address; this node is the one that gives it.",
        "Retirez ce membre, ou demandez un autre type de transfert.",
        "Leave the member out, or ask for another type of transfer.",
    ),
    "signaling-sink": Text(
        "refused",
        "Ce nœud ne pousse rien vers {origin} pour « {consumer} ».",
        "This node pushes nothing to {origin} for “{consumer}”.",
        "L'exploitant l'écrit dans preau.toml : [[signaled_sink]] avec consumer et url.",
        "The operator writes it into preau.toml: [[signaled_sink]] with consumer and url.",
    ),
    "signaling-consumes": Text(
        "refused",
        "Ce nœud remet des données ; il n'en reçoit pas pour un plan de contrôle.",
        "This node hands out data; it does not receive any for a control plane.",
        "Pour les transferts dont vous êtes le consommateur, enregistrez un autre plan de données.",
        "For transfers in which you are the consumer, register another data plane.",
    ),
    "signaling-consumer": Text(
        "refused",
        "Ce nœud ne connaît pas le destinataire « {consumer} ».",
        "This node does not know the consumer “{consumer}”.",
        "L'exploitant l'ajoute : « preau peer add {consumer} --signaled --group GROUPE ».",
        "The operator adds it: “preau peer add {consumer} --signaled --group GROUP”.",
    ),
    "signaling-offer": Text(
        "refused",
        "L'asset ne nomme pas une offre du jeu de données ({found}) ; il y a : {known}.",
        "The asset names no offer of the dataset ({found}); there are: {known}.",
        "Écrivez l'une d'elles dans l'adresse de données de l'asset, sous « offer ».",
        "Write one of them into the asset's data address, as “offer”.",
    ),
    "signaling-decisions": Text(
        "refused",
        "Cette offre attend des décisions ({roles}) qu'aucun plan de contrôle ne peut prendre.",
        "This offer waits for decisions ({roles}) that no control plane can take.",
        "Publiez pour lui une offre sans « decisions », décidée avant sa publication.",
        "Publish an offer without “decisions” for it, decided before it is published.",
    ),
    "signaling-by-hand": Text(
        "refused",
        "Ici une personne commence chaque transfert ([steps] by_hand) ; un signal n'attend pas.",
        "Here a person starts each transfer ([steps] by_hand); a signal does not wait.",
        "Retirez « start » de [steps] by_hand, ou gardez ce jeu hors de l'EDC.",
        "Take “start” out of [steps] by_hand, or keep this dataset out of the EDC.",
    ),
    "signaling-conflict": Text(
        "conflict",
        "{id} a déjà servi ici à autre chose ; rien n'a changé.",
        "{id} has been used here for something else; nothing has changed.",
        "Donnez à chaque accord et à chaque transfert son propre identifiant.",
        "Give each agreement and each transfer an identifier of its own.",
    ),
    "signaling-refused": Text(
        "refused",
        "La politique du jeu de données refuse. {reasons}",
        "The dataset's policy refuses. {reasons}",
        "Lisez les raisons ; sur le nœud, « preau transfer show » donne la trace.",
        "Read the reasons; on the node “preau transfer show” has the trace.",
    ),
    "signaling-over": Text(
        "refused",
        "Ce flux est terminé ({state}). {reasons}",
        "This flow is over ({state}). {reasons}",
        "Demandez un nouveau transfert.",
        "Ask for a new transfer.",
    ),
    "signaling-elsewhere": Text(
        "conflict",
        "Négocié par le plan de contrôle de l'institution, qui l'appelle {id}.",
        "Negotiated by the institution's own control plane, which calls it {id}.",
        "Ses messages sont chez lui.",
        "Its messages are with it.",
    ),
    "doctor-signaling-token": Text(
        "refused",
        "Aucun jeton n'est ouvert au plan de contrôle {url} : ses signaux seront refusés.",
        "No token is open to the control plane {url}: its signals will be refused.",
        "Faites-en un : « preau token add edc --role control-plane ».",
        "Make one: “preau token add edc --role control-plane”.",
    ),
    "doctor-signaling-silent": Text(
        "unavailable",
        "Le plan de contrôle {url} ne répond pas ({reason}) : il n'apprendra pas les fins.",
        "The control plane {url} does not answer ({reason}): it will not learn of ends.",
        "Vérifiez l'adresse dans preau.toml et le réseau entre les deux.",
        "Check the address in preau.toml and the network between the two.",
    ),
}
