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
    "present exactly when the lane is not rows": "ce membre si la voie n'est pas rows, et alors"
    " seulement",
    "at most {depth} groups in one another": "au plus {depth} groupes imbriqués",
    "a list of values": "une liste de valeurs",
    "a list of conditions, and nothing beside it": "une liste de conditions, et rien à côté",
    "true, false or null": "true, false ou null",
    "nothing beside it": "rien à côté",
    "a decimal such as 0.8": "un décimal tel que 0.8",
    "the name of a plain template": "le nom d'un modèle simple",
    "templates that understand {key} alike": "des modèles qui entendent {key} de même",
    "true, with neither from nor to": "true, sans from ni to",
    "either pointer or column": "pointer ou column, l'un des deux",
    "the file's name without .json: a-z, 0-9 and hyphens": (
        "le nom du fichier sans .json : a-z, 0-9 et tirets"
    ),
    "a list of collections": "une liste de collections",
    "a list of policies": "une liste de politiques",
    "policies with an @id of their own": "des politiques qui ont chacune leur @id",
    "nothing: its value is the member {given}": "rien : sa valeur est le membre {given}",
    "each operand once": "chaque opérande une seule fois",
    "an object with value or values, one of them": "un objet avec value ou values, l'un des deux",
    "a value of type {datatype}": "une valeur de type {datatype}",
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
        "{path} : stratégie de conflit inconnue ; connues : {expected}.",
        "{path}: unknown conflict strategy; known: {expected}.",
        "Retirez ce membre (l'interdiction l'emporte alors) ou écrivez l'une des stratégies.",
        "Remove this member (prohibitions then win) or write one of the strategies.",
    ),
    "policy-too-many": Text(
        "invalid",
        "{path} : plus de {expected} combinaisons d'actions, de données et de parties.",
        "{path}: more than {expected} combinations of actions, targets and parties.",
        "Écrivez plusieurs règles plus courtes.",
        "Write several shorter rules.",
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
    # --- inheritance (policies.inheritance) ---
    "policy-inherits-unknown": Text(
        "invalid",
        "{path} : la politique {policy}, dont celle-ci reprend les règles, est introuvable.",
        "{path}: the policy {policy}, whose rules this one takes over, cannot be found.",
        "Joignez la politique nommée, ou écrivez ses règles ici.",
        "Supply the policy named, or write its rules here.",
    ),
    "policy-inherits-cycle": Text(
        "invalid",
        "{path} : la politique {policy} hérite d'elle-même.",
        "{path}: the policy {policy} inherits from itself.",
        "Retirez l'une des références.",
        "Remove one of the references.",
    ),
    "policy-inherits-conflict": Text(
        "invalid",
        "{path} : les politiques réunies ont des stratégies de conflit différentes ({found}).",
        "{path}: the policies joined have different conflict strategies ({found}).",
        "Donnez la même stratégie à toutes.",
        "Give all of them the same strategy.",
    ),
    "policy-inherits-many": Text(
        "invalid",
        "{path} : plus de {expected} politiques reprises.",
        "{path}: more than {expected} policies taken over.",
        "Écrivez les règles dans une seule politique.",
        "Write the rules in one policy.",
    ),
    "policy-rdf": Text(
        "invalid",
        "Ce document n'est pas du Turtle lisible ({found}).",
        "This document is not readable Turtle ({found}).",
        "Corrigez le document à cet endroit, ou écrivez la politique en JSON.",
        "Correct the document at that place, or write the policy as JSON.",
    ),
    "policy-rdf-count": Text(
        "invalid",
        "Ce document contient {found} politiques nommées par un IRI ; il en faut une.",
        "This document has {found} policies named by an IRI; it needs one.",
        "Gardez une seule odrl:Set, odrl:Offer ou odrl:Agreement, et donnez-lui un IRI.",
        "Keep one odrl:Set, odrl:Offer or odrl:Agreement, and give it an IRI.",
    ),
    # --- our own documents ---
    "policy-question": Text(
        "invalid",
        "Fichier de la demande, {path} : attendu {expected}.",
        "Request file, {path}: expected {expected}.",
        "Corrigez le fichier (docs/policy-files.md).",
        "Correct the file (docs/policy-files.md).",
    ),
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
    "policy-plan-beyond": Text(
        "refused",
        "Cet accord contient des éléments qu'aucun plan ne sait tenir : {members}.",
        "This agreement has parts that no plan can hold: {members}.",
        "Exprimez-les par des contraintes et des obligations simples.",
        "Say them as plain constraints and duties.",
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
    # --- composing (policies.composition) ---
    "policy-compose-nothing": Text(
        "refused",
        "Ces politiques ne permettent rien ensemble : aucune action n'est permise par toutes.",
        "These policies permit nothing together: no action is permitted by all of them.",
        "Retirez la politique qui interdit ce que les autres permettent.",
        "Leave out the policy that forbids what the others permit.",
    ),
    "policy-compose-differ": Text(
        "refused",
        "Ces politiques ne portent pas sur la même chose ({member}) : {one}, {other}.",
        "These policies are about different things ({member}): {one}, {other}.",
        "Composez des politiques de même type, pour les mêmes données et les mêmes parties.",
        "Compose policies of one type, for the same data and the same parties.",
    ),
    "policy-compose-beyond": Text(
        "refused",
        "Une politique emploie ce qui ne se compose pas : {member}.",
        "A policy uses what cannot be composed: {member}.",
        "Exprimez ces conditions par des contraintes.",
        "Say these conditions as constraints.",
    ),
}
