"""The term tables themselves, in the notation that `catalog.terms` explains.

`PREAU` is ours: every member of every linked document that we sign. It is flat, so that a member
means one thing wherever it stands. The other three restate published contexts (Dataspace Protocol
2025-1, its ODRL profile, W3C Data Integrity v2) so that no file of others needs to be shipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_DCT: Final = "http://purl.org/dc/terms/"
_DCAT: Final = "http://www.w3.org/ns/dcat#"
_ODRL: Final = "http://www.w3.org/ns/odrl/2/"
_DSPACE: Final = "https://w3id.org/dspace/2025/1/"


@dataclass(frozen=True, slots=True)
class Table:
    """The text of one vocabulary and what surrounds its terms in the context document."""

    prefixes: Mapping[str, str]
    default: str
    text: str
    versioned: bool
    protected: bool
    declares: bool = True
    groups: Mapping[str, str] = field(default_factory=dict)


PREAU: Final = Table(
    prefixes={
        "xsd": _XSD,
        "dct": _DCT,
        "dcat": _DCAT,
        "foaf": "http://xmlns.com/foaf/0.1/",
        "odrl": _ODRL,
        "dspace": _DSPACE,
        "preau": "https://w3id.org/preau/ns#",
    },
    default="preau",
    versioned=True,
    protected=True,
    text="""
id                  =@id
type                =@type
value               =@value
language            =@language
v                   preau:formatVersion         ^xsd:integer

# things
DatasetDocument
Dataset             dcat:Dataset
Distribution        dcat:Distribution
DataService         dcat:DataService
Publisher           foaf:Agent
LegalBasis
Notice
Field
RequiredDecision
LinkageMeasurement
LinkageFigure
CatalogHead

# dataset
subject             foaf:primaryTopic           @id
identifier          dct:identifier
version             dcat:version                ^xsd:integer
title               dct:title                   @language
description         dct:description             @language
publisher           dct:publisher               @id
name                foaf:name
kind                                            @id
category            preau:dataCategory          @id
audience                                        @id
basis               preau:legalBasis            @id
ground                                          @id
reference
notice                                          @id
edition
personal            preau:personalData          ^xsd:boolean
field                                           @id *
path
datatype
sensitivity                                     @id
condition           preau:articleNineCondition  @id
position                                        ^xsd:integer
periodicity         dct:accrualPeriodicity      @id
issued              dct:issued                  ^xsd:dateTime
modified            dct:modified                ^xsd:dateTime
until                                           ^xsd:dateTime
retention                                       ^xsd:duration
retentionReason
dpia
group               preau:accessGroup
rows                                            ^xsd:integer
recordTime          preau:recordTimeColumn
persons
decision            preau:requiredDecision      @id *
role
linkage                                         @id
measured                                        ^xsd:dateTime
consents            preau:assumedConsents       ^xsd:integer
figure              preau:linkageFigure         @id *
precision           preau:timePrecision         @id
extensions          preau:withExtensions        ^xsd:boolean
linked              preau:linkableShare
distribution        dcat:distribution           @id *
mediaType           dcat:mediaType              @id
transfer            preau:transferFormat        @id
accessURL           dcat:accessURL              @id
accessService       dcat:accessService          @id
endpointURL         dcat:endpointURL            @id
hasPolicy           odrl:hasPolicy              @id *

# catalog head
catalog                                         @id
previous            preau:previousHead
root                preau:merkleRoot
entry                                           @id *
dataset                                         @id
digest
tombstone                                       @id *
at                  preau:withdrawnAt           ^xsd:dateTime
reason              preau:withdrawalReason

# agreement
timestamp           dspace:timestamp            ^xsd:dateTime
offer                                           @id
signedDocument                                  @id
application                                     @id

# policy
Set                 odrl:Set
Offer               odrl:Offer
Agreement           odrl:Agreement
Permission          odrl:Permission
Prohibition         odrl:Prohibition
Duty                odrl:Duty
Constraint          odrl:Constraint
LogicalConstraint   odrl:LogicalConstraint
target              odrl:target                 @id
assigner            odrl:assigner               @id
assignee            odrl:assignee               @id
permission          odrl:permission             @id *
prohibition         odrl:prohibition            @id *
obligation          odrl:obligation             @id *
duty                odrl:duty                   @id *
constraint          odrl:constraint             @id *
action              odrl:action                 @id
leftOperand         odrl:leftOperand            @id
operator            odrl:operator               @id
rightOperand        odrl:rightOperand
and                 odrl:and                    @id *
or                  odrl:or                     @id *
xone                odrl:xone                   @id *
""",
)

ODRL: Final = Table(
    prefixes={"odrl": _ODRL},
    default="odrl",
    versioned=False,
    protected=False,
    text="""
Policy
Agreement
Assertion
Offer
Set
profile @id
hasPolicy @id
Asset
target @id
assigner @id
assignee @id
Rule
Permission
permission @id *
Prohibition
prohibition @id *
prohibit
Duty
duty @id *
obligation @id *
Action
action @vocab
use
Constraint
constraint @id *
LeftOperand
leftOperand @vocab
Operator
operator @vocab
RightOperand
rightOperand
eq
neq
gt
gteq
lt
lteq
isA
hasPart
isPartOf
isAllOf
isAnyOf
isNoneOf
and
andSequence
or
xone
""",
)

DSPACE: Final = Table(
    prefixes={
        "xsd": _XSD,
        "dct": _DCT,
        "dcat": _DCAT,
        "odrl": _ODRL,
        "dspace": _DSPACE,
    },
    default="dspace",
    versioned=True,
    protected=True,
    groups={
        "pids": "providerPid @id\nconsumerPid @id",
        "why": "code\nreason *",
        "where": "callbackAddress",
        "offer": "offer @id",
    },
    text="""
Catalog dcat:Catalog +
  service dcat:service *
  participantId @id
  catalog dcat:catalog *
  dataset dcat:dataset *
  distribution dcat:distribution *
Dataset dcat:Dataset + &odrl
  distribution dcat:distribution *
  hasPolicy odrl:hasPolicy *
Distribution dcat:Distribution +
  format dct:format @vocab
  accessService dcat:accessService {}
DataService dcat:DataService +
  endpointDescription dcat:endpointDescription
  endpointURL dcat:endpointURL
CatalogService -
  id =@id
  type =@type
  serviceEndpoint https://www.w3.org/ns/did#serviceEndpoint @id
CatalogRequestMessage +
  filter *
DatasetRequestMessage +
  dataset
CatalogError + &why
VersionsError + &why

ContractRequestMessage + &odrl &pids &offer &where
ContractOfferMessage + &odrl &pids &offer &where
ContractAgreementMessage + &odrl &pids
  agreement @id
  timestamp
ContractAgreementVerificationMessage + &pids
ContractNegotiationEventMessage + &pids
  eventType @vocab
ContractNegotiationTerminationMessage + &pids &why
ContractNegotiation + &pids
  state @vocab
ContractNegotiationError + &pids &why

TransferRequestMessage + &where
  consumerPid @id
  agreementId @id
  format dct:format @vocab
  dataAddress
TransferStartMessage + &pids
  dataAddress
TransferSuspensionMessage + &pids &why
TransferCompletionMessage + &pids
TransferTerminationMessage + &pids &why
TransferProcess + &pids
  state @vocab
TransferError + &why
  providerPid
  consumerPid
DataAddress +
  endpointType @vocab
  endpoint
  endpointProperties *
EndpointProperty +
  name
  value

REQUESTED
OFFERED
ACCEPTED
AGREED
VERIFIED
FINALIZED
STARTED
SUSPENDED
COMPLETED
TERMINATED
""",
)

INTEGRITY: Final = Table(
    prefixes={"sec": "https://w3id.org/security#", "dct": _DCT, "xsd": _XSD},
    default="sec",
    versioned=False,
    protected=True,
    declares=False,
    groups={"keywords": "id =@id\ntype =@type"},
    text="""
&keywords
proof @id @graph
DataIntegrityProof + &keywords
  created dct:created ^xsd:dateTime
  expires sec:expiration ^xsd:dateTime
  challenge
  domain
  nonce
  previousProof @id
  cryptosuite ^sec:cryptosuiteString
  proofValue ^sec:multibase
  verificationMethod @id
  proofPurpose @vocab + &keywords
    assertionMethod @id *
    authentication sec:authenticationMethod @id *
    capabilityInvocation sec:capabilityInvocationMethod @id *
    capabilityDelegation sec:capabilityDelegationMethod @id *
    keyAgreement sec:keyAgreementMethod @id *
""",
)
