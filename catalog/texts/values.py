"""What is wrong with bytes, members and values before they mean anything."""

from typing import Final

from catalog.texts.advice import SIGN_EN, SIGN_FR
from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "catalog-json-invalid": Text(
        "invalid",
        "Ces octets ne sont pas du JSON strict (UTF-8, sans membre en double ni NaN), "
        "position : {place}.",
        "These bytes are not strict JSON (UTF-8, no member twice, no NaN), position: {place}.",
        "Vérifiez que le fichier est entier et demandez-le à nouveau.",
        "Check that the file is complete and fetch it again.",
    ),
    "catalog-json-not-object": Text(
        "invalid",
        "Le document JSON n'est pas un objet.",
        "The JSON document is not an object.",
        "Donnez un document de jeu de données, une tête de catalogue ou un document DID.",
        "Give a dataset document, a catalog head or a DID document.",
    ),
    "catalog-json-too-large": Text(
        "invalid",
        "Le document fait {size} octets, la limite est {limit}.",
        "The document has {size} bytes, the limit is {limit}.",
        "Demandez un document plus petit, ou le catalogue par pages.",
        "Ask for a smaller document, or for the catalog in pages.",
    ),
    "catalog-unfit-context": Text(
        "invalid",
        "Ce document n'est pas écrit sous notre contexte.",
        "This document is not written under our context.",
        "N'exportez que des documents de jeux de données et des têtes de catalogue de Préau.",
        "Export only dataset documents and catalog heads of Préau.",
    ),
    "catalog-unfit-control": Text(
        "invalid",
        "Le texte en {where} contient un caractère de contrôle.",
        "The text at {where} holds a control character.",
        "Retirez-le ; seules la tabulation et la fin de ligne sont permises. " + SIGN_FR,
        "Remove it; only tab and newline are allowed. " + SIGN_EN,
    ),
    "catalog-unfit-datatype": Text(
        "invalid",
        "Le type de donnée {datatype}, en {where}, n'est pas dans notre table.",
        "The datatype {datatype}, at {where}, is not in our table.",
        "Utilisez un type xsd: string, integer, boolean, decimal, date, dateTime ou duration.",
        "Use an xsd type: string, integer, boolean, decimal, date, dateTime or duration.",
    ),
    "catalog-unfit-depth": Text(
        "invalid",
        "Le document est imbriqué au-delà de {limit} niveaux, en {where}.",
        "The document is nested beyond {limit} levels, at {where}.",
        "Simplifiez le document.",
        "Make the document simpler.",
    ),
    "catalog-unfit-float": Text(
        "invalid",
        "Un nombre à virgule se trouve en {where} ; chaque outil l'écrirait autrement.",
        "A floating-point number stands at {where}; every tool would write it differently.",
        "Écrivez-le comme texte ou comme entier. " + SIGN_FR,
        "Write it as text or as an integer. " + SIGN_EN,
    ),
    "catalog-unfit-iri": Text(
        "invalid",
        "La valeur en {where} n'est pas un IRI absolu.",
        "The value at {where} is not an absolute IRI.",
        "Écrivez-le en entier, sans espace. " + SIGN_FR,
        "Write it in full, without spaces. " + SIGN_EN,
    ),
    "catalog-unfit-language": Text(
        "invalid",
        "L'étiquette de langue en {where} n'est pas en minuscules ou n'en est pas une.",
        "The language tag at {where} is not in lower case or is none.",
        "Écrivez par exemple « fr » ou « fr-ca ». " + SIGN_FR,
        "Write for example “fr” or “fr-ca”. " + SIGN_EN,
    ),
    "catalog-unfit-list": Text(
        "invalid",
        "Une liste se trouve dans une liste en {where}.",
        "A list stands inside a list at {where}.",
        "Nommez chaque élément et donnez-lui une position. " + SIGN_FR,
        "Name each item and give it a position. " + SIGN_EN,
    ),
    "catalog-unfit-literal": Text(
        "invalid",
        "La valeur en {where} n'est pas une valeur de {datatype} que tous les outils lisent "
        "de même.",
        "The value at {where} is not a value of {datatype} that every tool reads alike.",
        "Corrigez sa forme. " + SIGN_FR,
        "Correct its form. " + SIGN_EN,
    ),
    "catalog-unfit-null": Text(
        "invalid",
        "La valeur en {where} est vide (null) ; en JSON-LD elle disparaîtrait.",
        "The value at {where} is null; in JSON-LD it would vanish.",
        "Retirez ce membre ou donnez-lui une valeur. " + SIGN_FR,
        "Leave this member out or give it a value. " + SIGN_EN,
    ),
    "catalog-unfit-number": Text(
        "invalid",
        "Le nombre en {where} n'a pas de forme sûre (au-delà de 2^53-1, infini ou NaN).",
        "The number at {where} has no safe form (beyond 2^53-1, infinite or NaN).",
        "Écrivez-le comme texte.",
        "Write it as text.",
    ),
    "catalog-unfit-term": Text(
        "invalid",
        "Le membre « {name} » en {where} n'est pas un mot de notre contexte ; un outil RDF "
        "l'ignorerait et la signature ne le couvrirait pas.",
        "The member “{name}” at {where} is not a word of our context; an RDF tool would drop it "
        "and the signature would not cover it.",
        "Retirez ce membre, ou utilisez un mot de la table des termes.",
        "Remove this member, or use a word of the term table.",
    ),
    "catalog-unfit-text": Text(
        "invalid",
        "Le texte en {where} n'est pas de l'Unicode valide (demi-codet isolé).",
        "The text at {where} is not valid Unicode (a lone surrogate).",
        "Corrigez l'encodage du texte.",
        "Correct the encoding of the text.",
    ),
    "catalog-unfit-type": Text(
        "invalid",
        "La valeur en {where} n'est pas du JSON.",
        "The value at {where} is not JSON.",
        "C'est une faute du logiciel : signalez-la avec ce message.",
        "This is a fault of the software: report it with this message.",
    ),
    "catalog-unfit-unnamed": Text(
        "invalid",
        "L'objet en {where} ne dit pas ce qu'il nomme (membre « id » absent).",
        "The object at {where} does not say what it names (no member “id”).",
        "Donnez-lui un IRI. " + SIGN_FR,
        "Give it an IRI. " + SIGN_EN,
    ),
    "catalog-unfit-value": Text(
        "invalid",
        "La valeur en {where} n'est pas un texte.",
        "The value at {where} is not a text.",
        "Écrivez-la entre guillemets. " + SIGN_FR,
        "Write it as a string. " + SIGN_EN,
    ),
}
