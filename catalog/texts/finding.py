"""What is wrong with linked data, an export, a query or a search."""

from typing import Final

from catalog.texts.advice import ASK_PEER_EN, ASK_PEER_FR
from policies.problem import Text

TEXTS: Final[dict[str, Text]] = {
    "catalog-jsonld-context": Text(
        "refused",
        "Le document utilise un contexte qui n'est pas épinglé : {context}.",
        "The document uses a context that is not pinned: {context}.",
        "Aucun contexte n'est téléchargé ; demandez un document avec des contextes connus.",
        "No context is ever fetched; ask for a document with known contexts.",
    ),
    "catalog-jsonld-dropped": Text(
        "refused",
        "Ces membres ne veulent rien dire dans le contexte et seraient ignorés : {names}.",
        "These members mean nothing in the context and would be dropped: {names}.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-jsonld-invalid": Text(
        "refused",
        "Le document n'est pas du JSON-LD valable ({reason}).",
        "The document is not valid JSON-LD ({reason}).",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-jsonld-iri": Text(
        "refused",
        "« {iri} » n'est pas un IRI absolu : selon l'outil, il désignerait autre chose.",
        "“{iri}” is not an absolute IRI: it would mean another thing in another tool.",
        ASK_PEER_FR,
        ASK_PEER_EN,
    ),
    "catalog-jsonld-limit": Text(
        "refused",
        "Le document dépasse les limites ({nodes} valeurs permises).",
        "The document is over the limits ({nodes} values allowed).",
        "Demandez-le par parties plus petites.",
        "Ask for it in smaller parts.",
    ),
    "catalog-foreign-dataset": Text(
        "refused",
        "Ce que le connecteur a répondu n'est pas un jeu de données avec une offre.",
        "What the connector answered is no dataset with an offer.",
        "Prévenez l'opérateur de ce connecteur.",
        "Tell that connector's operator.",
    ),
    "catalog-export-blank": Text(
        "internal",
        "Le graphe contient un nœud anonyme ; nos documents n'en ont pas.",
        "The graph holds a blank node; our documents have none.",
        "Signalez-le aux mainteneurs de Préau ; le format nt n'est pas touché.",
        "Report it to the maintainers of Préau; the format nt is not concerned.",
    ),
    "catalog-export-differs": Text(
        "internal",
        "Le texte en {format} ne redonnerait pas exactement ce qui a été signé ; "
        "il n'a pas été écrit.",
        "The text in {format} would not say exactly what was signed; it was not written.",
        "Exportez en nt, et signalez-le aux mainteneurs de Préau.",
        "Export as nt, and report it to the maintainers of Préau.",
    ),
    "catalog-export-format": Text(
        "invalid",
        "Ce format d'export n'existe pas.",
        "There is no such export format.",
        "Choisissez parmi : {allowed}.",
        "Choose one of: {allowed}.",
    ),
    "catalog-query-failed": Text(
        "refused",
        "La requête n'a pas pu être évaluée ({fault}).",
        "The query could not be evaluated ({fault}).",
        "Simplifiez-la ; essayez ses parties une à une.",
        "Make it simpler; try its parts one by one.",
    ),
    "catalog-query-form": Text(
        "refused",
        "Une requête {form} n'est pas permise ici.",
        "A {form} query is not allowed here.",
        "Posez une requête SELECT, ASK ou CONSTRUCT.",
        "Ask a SELECT, ASK or CONSTRUCT query.",
    ),
    "catalog-query-from": Text(
        "refused",
        "FROM n'est pas permis : la requête porte sur les copies vérifiées, sur rien d'autre.",
        "FROM is not allowed: the query is over the verified copies and nothing else.",
        "Retirez FROM et FROM NAMED.",
        "Remove FROM and FROM NAMED.",
    ),
    "catalog-query-function": Text(
        "refused",
        "Les fonctions nommées par un IRI ne sont pas permises.",
        "Functions named by an IRI are not allowed.",
        "Utilisez les fonctions de SPARQL 1.1 ; comparez des textes avec STR().",
        "Use the functions of SPARQL 1.1; compare texts with STR().",
    ),
    "catalog-query-limit": Text(
        "refused",
        "La requête dépassait {seconds} s de calcul, ou la mémoire permise ; elle a été arrêtée.",
        "The query went beyond {seconds} s of computing, or the memory allowed; it was stopped.",
        "Ajoutez des conditions, ou LIMIT.",
        "Add conditions, or LIMIT.",
    ),
    "catalog-query-long": Text(
        "invalid",
        "La requête dépasse {limit} caractères.",
        "The query is longer than {limit} characters.",
        "Raccourcissez-la.",
        "Make it shorter.",
    ),
    "catalog-query-many": Text(
        "refused",
        "{found} jeux de données : une requête en lit au plus {limit}.",
        "{found} datasets: a query reads at most {limit}.",
        "Exportez-les (preau catalog export --to nt) vers un magasin RDF.",
        "Export them (preau catalog export --to nt) into an RDF store.",
    ),
    "catalog-query-service": Text(
        "refused",
        "SERVICE n'est pas permis : aucune requête ne quitte cette machine.",
        "SERVICE is not allowed: no query leaves this machine.",
        "Retirez SERVICE.",
        "Remove SERVICE.",
    ),
    "catalog-query-syntax": Text(
        "invalid",
        "Ce n'est pas une requête SPARQL 1.1 (position : {place}).",
        "This is not a SPARQL 1.1 query (position: {place}).",
        "Corrigez la requête à cet endroit ; LOAD, INSERT et DELETE ne sont pas des requêtes.",
        "Correct the query at that place; LOAD, INSERT and DELETE are no queries.",
    ),
    "catalog-search-facet": Text(
        "invalid",
        "La facette « {facet} » ne connaît pas cette valeur.",
        "The facet “{facet}” does not know this value.",
        "Choisissez parmi : {allowed}.",
        "Choose one of: {allowed}.",
    ),
}
