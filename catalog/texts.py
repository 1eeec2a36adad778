"""Every sentence this package can say about a problem, in French and English.

Codes are stable and never reused for another meaning. Parameters are names, places and digests,
never texts about people.
"""

from typing import Final

from policies.problem import Text

_ASK_PEER_FR: Final = "N'utilisez pas ce document ; prévenez l'institution qui le publie."
_ASK_PEER_EN: Final = "Do not use this document; tell the institution that publishes it."
_SIGN_FR: Final = "Corrigez cette valeur, puis recommencez : rien n'a été signé."
_SIGN_EN: Final = "Correct this value, then try again: nothing was signed."

_JSON: Final[dict[str, Text]] = {
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
}

_UNFIT: Final[dict[str, Text]] = {
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
        "Retirez-le ; seules la tabulation et la fin de ligne sont permises. " + _SIGN_FR,
        "Remove it; only tab and newline are allowed. " + _SIGN_EN,
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
        "Écrivez-le comme texte ou comme entier. " + _SIGN_FR,
        "Write it as text or as an integer. " + _SIGN_EN,
    ),
    "catalog-unfit-iri": Text(
        "invalid",
        "La valeur en {where} n'est pas un IRI absolu.",
        "The value at {where} is not an absolute IRI.",
        "Écrivez-le en entier, sans espace. " + _SIGN_FR,
        "Write it in full, without spaces. " + _SIGN_EN,
    ),
    "catalog-unfit-language": Text(
        "invalid",
        "L'étiquette de langue en {where} n'est pas en minuscules ou n'en est pas une.",
        "The language tag at {where} is not in lower case or is none.",
        "Écrivez par exemple « fr » ou « fr-ca ». " + _SIGN_FR,
        "Write for example “fr” or “fr-ca”. " + _SIGN_EN,
    ),
    "catalog-unfit-list": Text(
        "invalid",
        "Une liste se trouve dans une liste en {where}.",
        "A list stands inside a list at {where}.",
        "Nommez chaque élément et donnez-lui une position. " + _SIGN_FR,
        "Name each item and give it a position. " + _SIGN_EN,
    ),
    "catalog-unfit-literal": Text(
        "invalid",
        "La valeur en {where} n'est pas une valeur de {datatype} que tous les outils lisent "
        "de même.",
        "The value at {where} is not a value of {datatype} that every tool reads alike.",
        "Corrigez sa forme. " + _SIGN_FR,
        "Correct its form. " + _SIGN_EN,
    ),
    "catalog-unfit-null": Text(
        "invalid",
        "La valeur en {where} est vide (null) ; en JSON-LD elle disparaîtrait.",
        "The value at {where} is null; in JSON-LD it would vanish.",
        "Retirez ce membre ou donnez-lui une valeur. " + _SIGN_FR,
        "Leave this member out or give it a value. " + _SIGN_EN,
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
        "Donnez-lui un IRI. " + _SIGN_FR,
        "Give it an IRI. " + _SIGN_EN,
    ),
    "catalog-unfit-value": Text(
        "invalid",
        "La valeur en {where} n'est pas un texte.",
        "The value at {where} is not a text.",
        "Écrivez-la entre guillemets. " + _SIGN_FR,
        "Write it as a string. " + _SIGN_EN,
    ),
}

_PROOFS: Final[dict[str, Text]] = {
    "catalog-proof-context": Text(
        "refused",
        "Le contexte signé n'est pas celui du document : ses mots pourraient avoir changé de sens.",
        "The signed context is not the document's: its words may have changed their meaning.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-proof-cryptosuite": Text(
        "refused",
        "La preuve utilise « {found} » ; seule « eddsa-jcs-2022 » est acceptée.",
        "The proof uses “{found}”; only “eddsa-jcs-2022” is accepted.",
        "Demandez à l'émetteur une preuve DataIntegrityProof « eddsa-jcs-2022 ».",
        "Ask the issuer for a DataIntegrityProof with “eddsa-jcs-2022”.",
    ),
    "catalog-proof-document": Text(
        "refused",
        "Le document signé n'a pas de forme canonique ({reason}) ; sa signature ne prouve rien.",
        "The signed document has no canonical form ({reason}); its signature proves nothing.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-proof-encoding": Text(
        "refused",
        "Une clé ou une signature n'est pas écrite en multibase base58btc.",
        "A key or a signature is not written in multibase base58btc.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-proof-invalid": Text(
        "refused",
        "La signature n'est pas valable : le document a été modifié, ou un autre l'a signé.",
        "The signature is not valid: the document was altered, or another key signed it.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-proof-key": Text(
        "refused",
        "La clé n'est pas une clé publique Ed25519 de 32 octets.",
        "The key is not an Ed25519 public key of 32 bytes.",
        "Vérifiez le document DID de l'émetteur.",
        "Check the DID document of the issuer.",
    ),
    "catalog-proof-malformed": Text(
        "refused",
        "Le membre « {member} » de la preuve manque ou n'a pas la bonne forme.",
        "The member “{member}” of the proof is missing or has the wrong form.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-proof-method": Text(
        "refused",
        "La clé « {method} » ne figure pas parmi celles avec lesquelles {did} peut affirmer.",
        "The key “{method}” is not among those with which {did} may make assertions.",
        "Récupérez le document DID à jour ; si la clé n'y est pas, refusez le document.",
        "Fetch the current DID document; if the key is not in it, refuse the document.",
    ),
    "catalog-proof-missing": Text(
        "refused",
        "Le document n'est pas signé.",
        "The document is not signed.",
        "Demandez la version signée à l'institution qui le publie.",
        "Ask the institution that publishes it for the signed version.",
    ),
    "catalog-proof-purpose": Text(
        "refused",
        "La preuve sert à « {found} », il faut « {expected} ».",
        "The proof is for “{found}”, “{expected}” is needed.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-proof-several": Text(
        "refused",
        "Le document porte plusieurs preuves ou en porte déjà une ; une seule est permise.",
        "The document carries several proofs or has one already; only one is allowed.",
        "Retirez les autres preuves avant de signer ou de vérifier.",
        "Remove the other proofs before signing or verifying.",
    ),
    "catalog-proof-unknown-member": Text(
        "refused",
        "La preuve a un membre inconnu : « {member} ».",
        "The proof has an unknown member: “{member}”.",
        "Utilisez une version de Préau qui le connaît, ou refusez le document.",
        "Use a version of Préau that knows it, or refuse the document.",
    ),
}

_DOCUMENTS: Final[dict[str, Text]] = {
    "catalog-member-invalid": Text(
        "invalid",
        "La valeur de « {where} » n'est pas valable ; attendu : {expected}.",
        "The value of “{where}” is not valid; expected: {expected}.",
        "Corrigez cette valeur à la source.",
        "Correct this value at its source.",
    ),
    "catalog-member-missing": Text(
        "invalid",
        "Il manque le membre « {name} » en {where}.",
        "The member “{name}” is missing at {where}.",
        "Ajoutez-le.",
        "Add it.",
    ),
    "catalog-member-twice": Text(
        "invalid",
        "« {name} » apparaît deux fois dans « {where} ».",
        "“{name}” stands twice in “{where}”.",
        "Gardez-en un seul.",
        "Keep only one.",
    ),
    "catalog-member-unknown": Text(
        "invalid",
        "Le membre « {name} » en {where} est inconnu ; rien d'inconnu n'est ignoré dans ce qui "
        "est signé.",
        "The member “{name}” at {where} is unknown; nothing unknown is ignored in what is signed.",
        "Utilisez une version de Préau qui le connaît, ou refusez le document.",
        "Use a version of Préau that knows it, or refuse the document.",
    ),
    "catalog-document-form": Text(
        "refused",
        "Le document n'est pas écrit sous sa forme canonique, en {where}.",
        "The document is not written in its canonical form, at {where}.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-document-missing": Text(
        "not-found",
        "La tête du catalogue nomme {document}, qui n'est pas là.",
        "The head of the catalog names {document}, which is not here.",
        "Récupérez ce document, puis vérifiez à nouveau.",
        "Fetch this document, then verify again.",
    ),
    "catalog-document-other": Text(
        "refused",
        "Le document {document} ne décrit pas le jeu de données que la tête du catalogue annonce.",
        "The document {document} does not describe the dataset that the catalog's head names.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-digest-other": Text(
        "refused",
        "L'empreinte du document {document} n'est pas celle que le catalogue annonce.",
        "The digest of the document {document} is not the one that the catalog names.",
        "Récupérez à nouveau le document et la tête ; s'ils diffèrent encore, refusez-les.",
        "Fetch document and head again; if they still differ, refuse them.",
    ),
    "catalog-offer-name": Text(
        "refused",
        "Le nom de l'offre {offer} ne correspond pas à ce qu'elle dit.",
        "The name of the offer {offer} does not match what it says.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-offer-parties": Text(
        "refused",
        "L'offre {offer} ne porte pas sur ce jeu de données ou n'est pas faite par son éditeur.",
        "The offer {offer} is not about this dataset or not made by its publisher.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-offer-twice": Text(
        "invalid",
        "Deux offres disent la même chose : {offer}.",
        "Two offers say the same: {offer}.",
        "Gardez-en une seule.",
        "Keep only one of them.",
    ),
    "catalog-projection-digest": Text(
        "refused",
        "Ce que le catalogue DSP dit n'est pas ce qui a été signé ({document}).",
        "What the DSP catalog says is not what was signed ({document}).",
        "Ne vous fiez qu'au document signé, et prévenez l'institution.",
        "Rely on the signed document only, and tell the institution.",
    ),
    "catalog-projection-invalid": Text(
        "invalid",
        "Le jeu de données DSP n'est pas lisible en {where}.",
        "The DSP dataset cannot be read at {where}.",
        "Lisez le document signé à la place.",
        "Read the signed document instead.",
    ),
    "catalog-projection-unknown": Text(
        "invalid",
        "Le jeu de données DSP a en {where} un membre sans équivalent : « {name} ».",
        "The DSP dataset has a member without counterpart at {where}: “{name}”.",
        "Lisez le document signé à la place.",
        "Read the signed document instead.",
    ),
    "catalog-projection-unsigned": Text(
        "refused",
        "Ce jeu de données DSP ne nomme aucun document signé.",
        "This DSP dataset names no signed document.",
        "Il vient d'un connecteur qui ne signe pas : rien ne peut être vérifié.",
        "It comes from a connector that does not sign: nothing can be verified.",
    ),
}

_HEADS: Final[dict[str, Text]] = {
    "catalog-head-fork": Text(
        "refused",
        "La version {found} du catalogue ne suit pas la version {seen} déjà vue : deux histoires "
        "ont été signées.",
        "Version {found} of the catalog does not follow version {seen} seen before: two histories "
        "were signed.",
        "Gardez les deux têtes comme preuve et prévenez l'institution ; ne négociez pas.",
        "Keep both heads as evidence and tell the institution; do not negotiate.",
    ),
    "catalog-head-other": Text(
        "refused",
        "La tête {found} n'est pas du même catalogue que {expected}.",
        "The head {found} is not of the same catalog as {expected}.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-head-returned": Text(
        "refused",
        "Le jeu de données {dataset}, retiré, revient ou perd la trace de son retrait.",
        "The withdrawn dataset {dataset} comes back or loses its tombstone.",
        "Publiez-le sous un nouvel identifiant.",
        "Publish it under a new identifier.",
    ),
    "catalog-head-rewritten": Text(
        "refused",
        "Le document {document} a changé d'empreinte ; un document signé ne change jamais.",
        "The document {document} changed its digest; a signed document never changes.",
        "Publiez une nouvelle version (/v2, /v3 …) au lieu de réécrire.",
        "Publish a new version (/v2, /v3 …) instead of rewriting.",
    ),
    "catalog-head-rollback": Text(
        "refused",
        "Le catalogue est revenu à la version {found}, la version {seen} a déjà été vue.",
        "The catalog went back to version {found}, version {seen} was seen before.",
        "Prévenez l'institution : une sauvegarde ancienne ou un tiers répond à sa place.",
        "Tell the institution: an old backup or somebody else answers in its place.",
    ),
    "catalog-head-time": Text(
        "refused",
        "La tête {found} est datée d'avant la précédente.",
        "The head {found} is dated before the previous one.",
        "Vérifiez l'horloge du nœud qui publie.",
        "Check the clock of the node that publishes.",
    ),
    "catalog-head-vanished": Text(
        "refused",
        "Le jeu de données {dataset} a disparu sans acte de retrait.",
        "The dataset {dataset} vanished without a tombstone.",
        "Retirez-le avec « preau dataset withdraw », qui laisse une trace.",
        "Withdraw it with “preau dataset withdraw”, which leaves a trace.",
    ),
}

_VERIFICATION: Final[dict[str, Text]] = {
    "catalog-did-malformed": Text(
        "invalid",
        "Le document DID n'est pas lisible (membre « {member} »).",
        "The DID document cannot be read (member “{member}”).",
        "Récupérez-le à nouveau chez l'institution.",
        "Fetch it again from the institution.",
    ),
    "catalog-did-no-key": Text(
        "refused",
        "Le document de {did} ne donne aucune clé Ed25519 pour affirmer (assertionMethod).",
        "The document of {did} gives no Ed25519 key for assertions (assertionMethod).",
        "Récupérez le document DID à jour.",
        "Fetch the current DID document.",
    ),
    "catalog-did-other": Text(
        "refused",
        "Ce document DID est celui de {found}, pas de {expected}.",
        "This DID document is that of {found}, not of {expected}.",
        "Donnez le document DID de l'institution qui publie.",
        "Give the DID document of the institution that publishes.",
    ),
    "catalog-file-unknown": Text(
        "invalid",
        "Ce fichier n'est ni une tête de catalogue, ni un document de jeu de données, ni un "
        "catalogue enregistré.",
        "This file is neither a catalog head, nor a dataset document, nor a saved catalog.",
        "Enregistrez le catalogue avec « preau catalog save DIR ».",
        "Save the catalog with “preau catalog save DIR”.",
    ),
    "catalog-publisher-other": Text(
        "refused",
        "Le document est publié au nom de {found}, pas de {expected}.",
        "The document is published in the name of {found}, not of {expected}.",
        "Vérifiez-le avec le document DID de cette institution, ou refusez-le.",
        "Verify it with the DID document of that institution, or refuse it.",
    ),
}

_LINKED_DATA: Final[dict[str, Text]] = {
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
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-jsonld-invalid": Text(
        "refused",
        "Le document n'est pas du JSON-LD valable ({reason}).",
        "The document is not valid JSON-LD ({reason}).",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-jsonld-iri": Text(
        "refused",
        "« {iri} » n'est pas un IRI absolu : selon l'outil, il désignerait autre chose.",
        "“{iri}” is not an absolute IRI: it would mean another thing in another tool.",
        _ASK_PEER_FR,
        _ASK_PEER_EN,
    ),
    "catalog-jsonld-limit": Text(
        "refused",
        "Le document dépasse les limites ({nodes} valeurs permises).",
        "The document is over the limits ({nodes} values allowed).",
        "Demandez-le par parties plus petites.",
        "Ask for it in smaller parts.",
    ),
}

_FINDING: Final[dict[str, Text]] = {
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

TEXTS: Final[dict[str, Text]] = {
    **_JSON,
    **_UNFIT,
    **_PROOFS,
    **_DOCUMENTS,
    **_HEADS,
    **_VERIFICATION,
    **_LINKED_DATA,
    **_FINDING,
}
