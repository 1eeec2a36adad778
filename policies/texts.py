"""Texts of the problems of this package: code -> what happened, what to do, in fr and en."""

from collections.abc import Mapping
from typing import Final

from policies.problem import Phrase, Text

PHRASES: Final[Mapping[str, str]] = {
    "object": "un objet",
    "required": "ce membre, qui est obligatoire",
    "no such member; known: {known}": "aucun membre de ce nom ; connus : {known}",
    "text, 1 to {longest} characters": "un texte de 1 à {longest} caractères",
    "an absolute IRI": "un IRI absolu",
    "an IRI such as https://w3id.org/preau/ns#EducationResearch": (
        "un IRI tel que https://w3id.org/preau/ns#EducationResearch"
    ),
    "a DID such as did:web:lab.example": "un DID tel que did:web:lab.example",
    "urn:uuid: in lower case": "urn:uuid: en minuscules",
    "a time such as 2027-01-31T12:00:00Z": "un instant tel que 2027-01-31T12:00:00Z",
    "times such as 2027-01-31T12:00:00Z": "des instants tels que 2027-01-31T12:00:00Z",
    "a date such as 2027-08-31": "une date telle que 2027-08-31",
    "a time after `from`": "un instant après « from »",
    "from, to or both": "from, to ou les deux",
    "a list": "une liste",
    "a list of texts": "une liste de textes",
    "a list of sentences": "une liste de phrases",
    "a list of examples": "une liste d'exemples",
    "a list with at least one element": "une liste d'au moins un élément",
    "no text twice": "chaque texte une seule fois",
    "a whole number": "un nombre entier",
    "a whole number from {least}": "un nombre entier, au moins {least}",
    "string": "un texte",
    "group": "le nom d'un groupe",
    "iri": "un IRI",
    "dateTime": "un instant tel que 2027-08-31T00:00:00Z",
    "duration": "une durée telle que P180D",
    "a duration such as P180D": "une durée telle que P180D",
    "two capital letters such as FR": "deux majuscules telles que FR",
    "the digest of the arrangement or contract": "l'empreinte de l'accord entre responsables ou"
    " du contrat",
    "at least one change: {known}": "au moins un changement : {known}",
    "true, with neither from nor to": "true, sans from ni to",
    "either pointer or column": "pointer ou column, l'un des deux",
    "the file's name without .json: a-z, 0-9 and hyphens": (
        "le nom du fichier sans .json : a-z, 0-9 et tirets"
    ),
    "names of properties": "des noms de propriétés",
    "the name of a parameter": "le nom d'un paramètre",
    "a parameter; {name} is none": "un paramètre ; {name} n'en est pas un",
    'beside it "when": "{name}", which is optional': (
        'à côté, "when": "{name}", qui est facultatif'
    ),
}
"""What a document should hold where it does not: English -> French (`strict.Members.problem`)."""


def phrase(en: str, **values: object) -> str:
    """An expectation for people of both languages; what has no words stays as it is."""
    fr = PHRASES.get(en)
    if fr is None:
        return en
    return Phrase(en.format_map(values), fr.format_map(values))


TEXTS: Final[Mapping[str, Text]] = {
    # --- reading ODRL (policies.odrl) ---
    "policy-type": Text(
        "invalid",
        "{path} : type inattendu ; attendu : {expected}.",
        "{path}: unexpected type; expected: {expected}.",
        "Écrivez l'un des types attendus.",
        "Write one of the expected types.",
    ),
    "policy-shape": Text(
        "invalid",
        "{path} : trouvé {found}, attendu {expected}.",
        "{path}: found {found}, expected {expected}.",
        "Corrigez cette partie de la politique.",
        "Correct this part of the policy.",
    ),
    "policy-value": Text(
        "invalid",
        "{path} : la valeur « {found} » n'a pas la forme attendue ({expected}).",
        "{path}: the value “{found}” has not the expected form ({expected}).",
        "Corrigez la valeur.",
        "Correct the value.",
    ),
    "policy-unknown-member": Text(
        "invalid",
        "{path} : ce membre n'est pas pris en charge ; l'ignorer changerait le sens de la"
        " politique. Membres connus : {expected}.",
        "{path}: this member is not supported; to ignore it would change what the policy says."
        " Known members: {expected}.",
        "Retirez ce membre, ou exprimez la condition par une contrainte.",
        "Remove this member, or say the condition as a constraint.",
    ),
    "policy-duplicate-member": Text(
        "invalid",
        "{path} : ce membre est écrit deux fois sous deux formes.",
        "{path}: this member is written twice in two spellings.",
        "Gardez une seule des deux formes.",
        "Keep one of the two.",
    ),
    "policy-missing-member": Text(
        "invalid",
        "{path} : il manque « {expected} ».",
        "{path}: “{expected}” is missing.",
        "Ajoutez ce membre.",
        "Add this member.",
    ),
    "policy-no-rule": Text(
        "invalid",
        "{path} : la politique ne contient aucune règle.",
        "{path}: the policy has no rule.",
        "Ajoutez au moins une permission.",
        "Add at least one permission.",
    ),
    "policy-conflict": Text(
        "invalid",
        "{path} : seule la stratégie {expected} est prise en charge (l'interdiction l'emporte).",
        "{path}: only the strategy {expected} is supported (prohibition wins).",
        "Retirez ce membre ou écrivez {expected}.",
        "Remove this member or write {expected}.",
    ),
    "policy-too-deep": Text(
        "invalid",
        "{path} : plus de {expected} conditions imbriquées.",
        "{path}: more than {expected} nested conditions.",
        "Simplifiez les conditions.",
        "Simplify the conditions.",
    ),
    "policy-relative-name": Text(
        "invalid",
        "{path} : « {found} » ne nomme rien : ni terme ODRL connu, ni IRI complet.",
        "{path}: “{found}” names nothing: it is no known ODRL term and no full IRI.",
        "Écrivez un terme avec préfixe (odrl:purpose) ou un IRI complet.",
        "Write a prefixed term (odrl:purpose) or a full IRI.",
    ),
    # --- our own documents ---
    "policy-application": Text(
        "invalid",
        "Demande, {path} : attendu {expected}.",
        "Application, {path}: expected {expected}.",
        "Corrigez la demande et envoyez-la de nouveau.",
        "Correct the application and send it again.",
    ),
    "policy-changed-offer": Text(
        "invalid",
        "Offre modifiée, {path} : attendu {expected}.",
        "Changed offer, {path}: expected {expected}.",
        "Corrigez le fichier de l'offre modifiée.",
        "Correct the file of the changed offer.",
    ),
    "policy-changed-wider": Text(
        "refused",
        "{path} : l'offre modifiée serait plus large que l'offre en négociation ({expected}).",
        "{path}: the changed offer would be wider than the offer under negotiation ({expected}).",
        "Choisissez une valeur plus étroite.",
        "Choose a narrower value.",
    ),
    "policy-plan-document": Text(
        "invalid",
        "Plan, {path} : attendu {expected}.",
        "Plan, {path}: expected {expected}.",
        "Demandez de nouveau le plan au nœud qui l'a fait.",
        "Ask the node that made the plan for it again.",
    ),
    # --- compiling (policies.plan) ---
    "policy-plan-not-permitted": Text(
        "refused",
        "Aucun plan : la décision est « {outcome} ».",
        "No plan: the decision is “{outcome}”.",
        "Lisez les motifs de la décision.",
        "Read the reasons of the decision.",
    ),
    "policy-plan-other-policy": Text(
        "internal",
        "Aucun plan : la décision porte sur une autre politique.",
        "No plan: the decision is about another policy.",
        "Signalez ce code aux mainteneurs de Préau.",
        "Report this code to the maintainers of Préau.",
    ),
    "policy-plan-target": Text(
        "refused",
        "Aucun plan : l'accord porte sur {target}, pas sur {dataset}.",
        "No plan: the agreement is about {target}, not {dataset}.",
        "Négociez un accord sur ce jeu de données.",
        "Negotiate an agreement on this dataset.",
    ),
    "policy-plan-no-enforcer": Text(
        "refused",
        "Aucun plan : rien ne peut faire respecter la contrainte sur {operand} ({constraint}).",
        "No plan: nothing can hold the constraint on {operand} ({constraint}).",
        "Retirez cette contrainte de l'offre ou écrivez-la autrement.",
        "Remove this constraint from the offer or write it differently.",
    ),
    "policy-plan-contradiction": Text(
        "refused",
        "Aucun plan : les contraintes sur {operand} se contredisent.",
        "No plan: the constraints on {operand} contradict each other.",
        "Modifiez l'offre ou la demande.",
        "Change the offer or the application.",
    ),
    "policy-plan-no-basis": Text(
        "refused",
        "Aucun plan : {dataset} contient des données personnelles sans base légale déclarée"
        " (bases connues : {known}).",
        "No plan: {dataset} holds personal data without a declared legal basis (known: {known}).",
        "Déclarez la base légale du jeu de données.",
        "Declare the dataset's legal basis.",
    ),
    "policy-plan-no-persons": Text(
        "refused",
        "Aucun plan : la politique parle de consentement, mais {dataset} est déclaré sans"
        " données personnelles.",
        "No plan: the policy speaks of consent, but {dataset} is declared to hold no personal"
        " data.",
        "Corrigez la déclaration ou la politique.",
        "Correct the declaration or the policy.",
    ),
    "policy-plan-no-purpose": Text(
        "refused",
        "Aucun plan : la finalité n'est pas déterminée ({found} finalités dans la politique).",
        "No plan: the purpose is not determined ({found} purposes in the policy).",
        "Joignez une demande, ou publiez une offre par finalité.",
        "Attach an application, or publish one offer per purpose.",
    ),
    "policy-plan-unknown-field": Text(
        "refused",
        "{path} : ces champs n'existent pas dans le jeu de données : {field}.",
        "{path}: these fields do not exist in the dataset: {field}.",
        "Choisissez des noms du dictionnaire des données.",
        "Choose names of the codebook.",
    ),
    "policy-plan-no-fields": Text(
        "refused",
        "Aucun plan : aucun champ ne peut être communiqué.",
        "No plan: no field may leave.",
        "Demandez d'autres champs.",
        "Ask for other fields.",
    ),
    "policy-plan-nir": Text(
        "refused",
        "Aucun plan : le numéro de sécurité sociale ne quitte jamais l'institution ({field}).",
        "No plan: a social security number never leaves the institution ({field}).",
        "Retirez ce champ de la demande ; les pseudonymes relient les lignes d'une personne.",
        "Leave this field out of the request; pseudonyms link the rows of one person.",
    ),
    # --- templates ---
    "policy-template-unknown": Text(
        "not-found",
        "Aucun modèle ne s'appelle « {name} » ; modèles : {known}.",
        "No template is called “{name}”; templates: {known}.",
        "Choisissez l'un de ces modèles.",
        "Choose one of these templates.",
    ),
    "policy-template-parameter": Text(
        "invalid",
        "Modèle, {path} : attendu {expected}.",
        "Template, {path}: expected {expected}.",
        "Corrigez ce paramètre.",
        "Correct this parameter.",
    ),
    "policy-template-taken": Text(
        "conflict",
        "« {name} » est le nom d'un modèle de Préau ; un modèle propre ne peut le remplacer.",
        "“{name}” is the name of one of Préau's templates; an own one cannot replace it.",
        "Donnez un autre nom à votre modèle (fichier et membre name).",
        "Give your template another name (file and member name).",
    ),
    "policy-template-form": Text(
        "invalid",
        "Modèle, fichier {name}.json, {path} : attendu {expected}.",
        "Template, file {name}.json, {path}: expected {expected}.",
        "Corrigez ce fichier ; examples/05_own_policy en montre un.",
        "Correct this file; examples/05_own_policy shows one.",
    ),
    # --- lint ---
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
}
