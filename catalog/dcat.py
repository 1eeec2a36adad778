"""The front door of the catalog's documents: what other rooms import.

Dataset documents (`catalog.documents`), heads (`catalog.heads`) and their form on the Dataspace
Protocol's wire (`catalog.dsp`), under the names that the rest of the house uses.
"""

from catalog.documents import digest, document, offered, read, service_iri, unsigned
from catalog.dsp import catalog_response, dataset_response, project, unproject
from catalog.heads import head, read_head

__all__ = [
    "catalog_response",
    "dataset_response",
    "digest",
    "document",
    "head",
    "offered",
    "project",
    "read",
    "read_head",
    "service_iri",
    "unproject",
    "unsigned",
]
