"""Texts of the linter's findings: what is wrong and what to change, in fr and en."""

from collections.abc import Mapping
from typing import Final

from policies.problem import Text

TEXTS: Final[Mapping[str, Text]] = {
    "policy-lint-beyond-protocol": Text(
        "refused",
        "{path} : le protocole Dataspace n'a pas de mot pour « {member} » : l'offre ne peut pas"
        " être envoyée telle quelle.",
        "{path}: the Dataspace Protocol has no word for “{member}”: the offer cannot be sent as"
        " it stands.",
        "Exprimez cette condition par une contrainte de la règle ou de l'obligation.",
        "Say this condition as a constraint of the rule or duty.",
    ),
    "policy-lint-no-permission": Text(
        "refused",
        "L'offre ne permet rien.",
        "The offer permits nothing.",
        "Ajoutez une permission.",
        "Add a permission.",
    ),
    "policy-lint-no-end": Text(
        "refused",
        "{path} : cette permission n'a pas de date de fin.",
        "{path}: this permission has no end date.",
        "Ajoutez une contrainte odrl:dateTime lt, ou le paramètre until.",
        "Add a constraint odrl:dateTime lt, or the parameter until.",
    ),
    "policy-lint-unknown-operand": Text(
        "refused",
        "{path} : personne ne sait évaluer {operand}.",
        "{path}: nobody can evaluate {operand}.",
        "Utilisez un opérande du registre (docs/policies.md).",
        "Use an operand of the registry (docs/policies.md).",
    ),
    "policy-lint-unknown-operator": Text(
        "refused",
        "{path} : l'opérateur {operator} ne s'applique pas ici.",
        "{path}: the operator {operator} does not apply here.",
        "Utilisez un opérateur que l'opérande connaît (docs/policies.md).",
        "Use an operator that the operand has (docs/policies.md).",
    ),
    "policy-lint-unknown-action": Text(
        "refused",
        "{path} : l'action {action} est inconnue.",
        "{path}: the action {action} is unknown.",
        "Utilisez une action connue (docs/policies.md).",
        "Use a known action (docs/policies.md).",
    ),
    "policy-lint-value-type": Text(
        "refused",
        "{path} : la valeur de {operand} n'est pas du type {expected}.",
        "{path}: the value of {operand} is not of type {expected}.",
        "Donnez une valeur de ce type ; une date porte son fuseau (Z).",
        "Give a value of this type; a date carries its offset (Z).",
    ),
    "policy-lint-duty-only": Text(
        "refused",
        "{path} : {operand} n'a de sens que dans une obligation.",
        "{path}: {operand} has a meaning in duties only.",
        "Déplacez cette contrainte dans une obligation.",
        "Move this constraint into a duty.",
    ),
    "policy-lint-duty-without-phase": Text(
        "refused",
        "{path} : rien ne dit si {action} est due avant ou après l'utilisation.",
        "{path}: nothing says whether {action} is due before or after use.",
        "Ajoutez preau:duePhase eq preau:BeforeUse ou preau:AfterUse.",
        "Add preau:duePhase eq preau:BeforeUse or preau:AfterUse.",
    ),
    "policy-lint-no-enforcer": Text(
        "refused",
        "{path} : rien ne peut faire respecter cette contrainte sur {operand}.",
        "{path}: nothing can hold this constraint on {operand}.",
        "Écrivez-la autrement ou retirez-la.",
        "Write it differently or remove it.",
    ),
    "policy-lint-unknown-field": Text(
        "refused",
        "{path} : ces champs n'existent pas dans le jeu de données : {field}.",
        "{path}: these fields do not exist in the dataset: {field}.",
        "Choisissez des noms du dictionnaire des données.",
        "Choose names of the codebook.",
    ),
    "policy-lint-open-personal": Text(
        "refused",
        "{path} : une licence ouverte ({action}) ne convient pas à des données personnelles,"
        " même pseudonymisées.",
        "{path}: an open licence ({action}) does not fit personal data, pseudonymised or not.",
        "Choisissez research-under-consent ou public-task-research.",
        "Choose research-under-consent or public-task-research.",
    ),
    "policy-lint-no-basis": Text(
        "refused",
        "Aucune base légale connue n'est déclarée ({known}).",
        "No known legal basis is declared ({known}).",
        "Déclarez basis.type.",
        "Declare basis.type.",
    ),
    "policy-lint-minors-on-consent": Text(
        "refused",
        "Le public déclaré est « {audience} » : le consentement n'est accepté que pour des"
        " adultes.",
        "The declared audience is “{audience}”: consent is accepted for adults only.",
        "Déclarez audience = adults si c'est le cas, ou une mission d'intérêt public avec"
        " oppositions.",
        "Declare audience = adults if that is so, or a public task with objections.",
    ),
    "policy-lint-minors-basis": Text(
        "refused",
        "Le public déclaré est « {audience} » : la base « {basis} » n'est acceptée que pour des"
        " adultes.",
        "The declared audience is “{audience}”: the basis “{basis}” is accepted for adults only.",
        "Déclarez une mission d'intérêt public avec oppositions.",
        "Declare a public task with objections.",
    ),
    "policy-lint-no-notice": Text(
        "refused",
        "Le consentement se fonde sur une notice d'information ; aucune n'est déclarée.",
        "Consent rests on an information notice; none is declared.",
        "Déclarez notice.iri, notice.version et notice.text.",
        "Declare notice.iri, notice.version and notice.text.",
    ),
    "policy-lint-no-subjects": Text(
        "refused",
        "La table est déclarée personnelle, mais aucune colonne ne dit de qui parle une ligne.",
        "The table is declared personal, but no column says whom a row is about.",
        'Déclarez [[subjects]] (column, namespace), ou personal = "no" si personne n\'y est.',
        'Declare [[subjects]] (column, namespace), or personal = "no" if it is about nobody.',
    ),
    "policy-lint-not-personal": Text(
        "refused",
        'Le jeu est déclaré personal = "no", mais ces champs identifient ou décrivent'
        " des personnes : {field}.",
        'The dataset is declared personal = "no", but these fields identify or describe'
        " persons: {field}.",
        "Déclarez les personnes ([[subjects]]), ou corrigez la nature de ces champs (columns).",
        "Declare the persons ([[subjects]]), or correct what these fields are (columns).",
    ),
    "policy-lint-undated": Text(
        "refused",
        "{path} : les lignes ne sont pas datées ; une période n'en retiendrait aucune ou toutes.",
        "{path}: the rows are not dated; a period would keep none of them or all.",
        "Déclarez time (la colonne qui date les lignes), ou retirez la période des conditions.",
        "Declare time (the column that dates the rows), or leave the period out of the terms.",
    ),
    "policy-lint-retention": Text(
        "refused",
        "{path} : la conservation {retention} dépasse celle de l'établissement ({default}) sans"
        " motif écrit.",
        "{path}: the retention {retention} exceeds the institution's own ({default}) without a"
        " written reason.",
        "Raccourcissez-la ou écrivez retention_reason.",
        "Shorten it or write retention_reason.",
    ),
    "policy-lint-no-source": Text(
        "refused",
        "{path} : ce nœud n'a pas encore de source pour {operand} : la condition refuserait"
        " toujours.",
        "{path}: this node has no source for {operand} yet: the condition would always refuse.",
        "Retirez cette condition, ou demandez la décision d'une personne (decisions).",
        "Remove this condition, or ask for a person's decision (decisions).",
    ),
    "policy-lint-contradiction": Text(
        "refused",
        "{path} : ces conditions ne peuvent pas être remplies ensemble ({operand}).",
        "{path}: these conditions cannot hold together ({operand}).",
        "Corrigez les valeurs ou retirez l'une des conditions.",
        "Correct the values or remove one of the conditions.",
    ),
    "policy-lint-dead-branch": Text(
        "refused",
        "{path} : une alternative ne peut jamais être remplie ({operand}).",
        "{path}: one alternative can never hold ({operand}).",
        "Corrigez-la ou retirez-la.",
        "Correct it or remove it.",
    ),
    "policy-lint-void-prohibition": Text(
        "refused",
        "{path} : cette interdiction ne peut jamais s'appliquer.",
        "{path}: this prohibition can never apply.",
        "Corrigez ses conditions ou retirez-la.",
        "Correct its conditions or remove it.",
    ),
    "policy-lint-forbidden": Text(
        "refused",
        "{path} : ce qui est permis ici ({action}) est interdit plus loin dans tous les cas"
        " ; l'interdiction l'emporte.",
        "{path}: what is permitted here ({action}) is forbidden elsewhere in every case;"
        " the prohibition wins.",
        "Retirez la permission ou restreignez l'interdiction.",
        "Remove the permission or narrow the prohibition.",
    ),
    "policy-lint-forbidden-duty": Text(
        "refused",
        "{path} : cette obligation ({action}) est interdite par la même politique.",
        "{path}: this duty ({action}) is forbidden by the same policy.",
        "Retirez l'obligation ou l'interdiction.",
        "Remove the duty or the prohibition.",
    ),
    "policy-lint-emotion": Text(
        "refused",
        "{path} : la déduction des émotions ({purpose}) n'est pas proposée.",
        "{path}: the inference of emotions ({purpose}) is not offered.",
        "Retirez cette finalité.",
        "Remove this purpose.",
    ),
    "policy-lint-ai-reference": Text(
        "refused",
        "{path} : cette utilisation d'intelligence artificielle ({use}) demande sa"
        " référence au titre du règlement sur l'IA.",
        "{path}: this use of artificial intelligence ({use}) asks for its reference under"
        " the AI Act.",
        'Déclarez [ai] use = "yes" et reference, ou retirez cette utilisation.',
        'Declare [ai] use = "yes" and reference, or remove this use.',
    ),
    "policy-lint-ai-undeclared": Text(
        "refused",
        "{path} : ces finalités ({purpose}) évaluent des personnes ; rien ne dit si une"
        " intelligence artificielle y sert.",
        "{path}: these purposes ({purpose}) evaluate persons; nothing says whether"
        " artificial intelligence serves them.",
        'Déclarez [ai] use = "no", ou use = "yes" et reference.',
        'Declare [ai] use = "no", or use = "yes" and reference.',
    ),
    "policy-lint-service-condition": Text(
        "refused",
        "Un service, un prix ou une obligation dépend de la réponse des personnes"
        " (service_condition).",
        "A service, a price or a duty depends on what persons answer (service_condition).",
        'Fournissez le même service à qui refuse, puis déclarez service_condition = "no".',
        'Give those who refuse the same service, then declare service_condition = "no".',
    ),
    "policy-lint-answer-condition": Text(
        "refused",
        "{path} : l'obligation {action} dépend de la réponse d'une personne ; un refus ne"
        " doit rien coûter.",
        "{path}: the duty {action} depends on a person's answer; a refusal must cost nothing.",
        "Retirez la condition ; seul l'arrêt et l'effacement suivent un refus.",
        "Remove the condition; only stopping and erasing follow a refusal.",
    ),
    "policy-lint-service-on-consent": Text(
        "refused",
        "{path} : fournir un service ({purpose}) avec le consentement seul en prive qui refuse.",
        "{path}: providing a service ({purpose}) on consent alone denies it to those who refuse.",
        "Choisissez une autre base légale pour le service, ou une autre finalité.",
        "Choose another legal basis for the service, or another purpose.",
    ),
    "policy-lint-exclusive": Text(
        "refused",
        "{path} : un organisme public ne réserve pas ses données à un seul destinataire.",
        "{path}: a public body does not reserve its data for one recipient.",
        "Retirez l'exclusivité (exclusive, odrl:ensureExclusivity).",
        "Remove the exclusivity (exclusive, odrl:ensureExclusivity).",
    ),
    "policy-lint-single-recipient": Text(
        "refused",
        "{path} : l'offre d'un organisme public ne nomme qu'un destinataire ({recipient}).",
        "{path}: the offer of a public body names one recipient only ({recipient}).",
        "Ouvrez l'offre à un groupe, ou offrez les mêmes conditions à d'autres.",
        "Open the offer to a group, or offer others the same terms.",
    ),
    "policy-lint-roster": Text(
        "refused",
        "{path} : {party} détient la liste des personnes et verrait, ligne à ligne, qui manque.",
        "{path}: {party} holds the list of persons and would see, row by row, who is missing.",
        "Excluez ce destinataire (paramètres excluded, not_to), ou offrez des"
        " chiffres sur des groupes.",
        "Exclude this recipient (parameters excluded, not_to), or offer figures about groups.",
    ),
    "policy-lint-only-declared": Text(
        "refused",
        "{path} : {operand} n'est tenu que par la parole du destinataire.",
        "{path}: {operand} is held by the recipient's word only.",
        "Gardez la condition si une déclaration suffit ; demandez sinon la décision d'une"
        " personne (decisions).",
        "Keep the condition if a declaration is enough; else ask for a person's decision"
        " (decisions).",
    ),
    "policy-lint-any-purpose": Text(
        "refused",
        "{path} : aucune finalité n'est nommée : toutes sont admises.",
        "{path}: no purpose is named: all are admitted.",
        "Nommez les finalités (odrl:purpose).",
        "Name the purposes (odrl:purpose).",
    ),
    "policy-lint-no-deletion": Text(
        "refused",
        "{path} : rien n'oblige le destinataire à effacer.",
        "{path}: nothing obliges the recipient to delete.",
        "Ajoutez l'obligation odrl:delete avec un délai.",
        "Add the duty odrl:delete with a delay.",
    ),
    "policy-lint-unattested-deletion": Text(
        "refused",
        "{path} : l'effacement est promis, mais personne n'en saura rien.",
        "{path}: the deletion is promised, but nobody will hear of it.",
        "Ajoutez l'obligation preau:attestDeletion.",
        "Add the duty preau:attestDeletion.",
    ),
    "policy-lint-dpia": Text(
        "refused",
        "Plusieurs critères d'un risque élevé sont réunis : une analyse d'impact est nécessaire,"
        " aucune n'est déclarée.",
        "Several criteria of a high risk are met: an impact assessment is needed, none is"
        " declared.",
        "Déclarez dpia (référence et date de l'analyse).",
        "Declare dpia (reference and date of the assessment).",
    ),
    "policy-lint-risk-minors": Text(
        "refused",
        "Critère d'un risque élevé : des personnes mineures ou d'âge inconnu.",
        "Criterion of a high risk: minors or persons of unknown age.",
        "Déclarez dpia si une analyse d'impact existe ; à deux critères elle est nécessaire.",
        "Declare dpia if there is an impact assessment; with two criteria it is needed.",
    ),
    "policy-lint-risk-special": Text(
        "refused",
        "Critère d'un risque élevé : des données sensibles.",
        "Criterion of a high risk: special categories of data.",
        "Déclarez dpia si une analyse d'impact existe ; à deux critères elle est nécessaire.",
        "Declare dpia if there is an impact assessment; with two criteria it is needed.",
    ),
    "policy-lint-risk-scale": Text(
        "refused",
        "Critère d'un risque élevé : une grande échelle.",
        "Criterion of a high risk: large scale.",
        "Déclarez dpia si une analyse d'impact existe ; à deux critères elle est nécessaire.",
        "Declare dpia if there is an impact assessment; with two criteria it is needed.",
    ),
    "policy-lint-risk-evaluation": Text(
        "refused",
        "Critère d'un risque élevé : l'évaluation de personnes.",
        "Criterion of a high risk: evaluation of persons.",
        "Déclarez dpia si une analyse d'impact existe ; à deux critères elle est nécessaire.",
        "Declare dpia if there is an impact assessment; with two criteria it is needed.",
    ),
    "policy-lint-risk-matching": Text(
        "refused",
        "Critère d'un risque élevé : un suivi d'un accord à l'autre.",
        "Criterion of a high risk: matching from one agreement to the next.",
        "Déclarez dpia si une analyse d'impact existe ; à deux critères elle est nécessaire.",
        "Declare dpia if there is an impact assessment; with two criteria it is needed.",
    ),
    "policy-lint-together-absence": Text(
        "refused",
        "{path} : ces champs communiqués ensemble ({field}) révèlent la religion ou la santé"
        " : qui est absent quels jours.",
        "{path}: these fields leaving together ({field}) reveal religion or health: who is"
        " absent on which days.",
        "Retirez-en un (fields), coupez les dates (precision = preau:NoTime), ou déclarez"
        " [[special]] avec sa condition.",
        "Leave one out (fields), cut the dates (precision = preau:NoTime), or declare"
        " [[special]] with its condition.",
    ),
    "policy-lint-together-meals": Text(
        "refused",
        "{path} : ces champs communiqués ensemble ({field}) révèlent la religion ou la santé"
        " : qui mange quoi quels jours.",
        "{path}: these fields leaving together ({field}) reveal religion or health: who eats"
        " what on which days.",
        "Retirez-en un (fields), coupez les dates (precision = preau:NoTime), ou déclarez"
        " [[special]] avec sa condition.",
        "Leave one out (fields), cut the dates (precision = preau:NoTime), or declare"
        " [[special]] with its condition.",
    ),
    "policy-lint-together-origin": Text(
        "refused",
        "{path} : ces champs communiqués ensemble ({field}) révèlent l'origine : pays et langue.",
        "{path}: these fields leaving together ({field}) reveal origin: country and language.",
        "Retirez-en un (fields), coupez les dates (precision = preau:NoTime), ou déclarez"
        " [[special]] avec sa condition.",
        "Leave one out (fields), cut the dates (precision = preau:NoTime), or declare"
        " [[special]] with its condition.",
    ),
    "policy-lint-ended": Text(
        "refused",
        "{path} : l'offre est déjà échue ({until}) ; personne ne pourrait plus rien demander.",
        "{path}: the offer has ended already ({until}); nobody could ask for anything.",
        "Donnez une fin (until) à venir.",
        "Give an end (until) that is still to come.",
    ),
    "policy-lint-unknown-purpose": Text(
        "refused",
        "{path} : personne ne connaît la finalité {purpose} ; aucun consentement ni aucune demande"
        " ne lui correspondrait.",
        "{path}: nobody knows the purpose {purpose}; no consent and no request would match it.",
        "Choisissez une finalité connue : {known}.",
        "Choose a known purpose: {known}.",
    ),
}
