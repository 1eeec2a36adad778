#!/bin/sh
# What the operator of an EDC 0.14 to 0.17 does once: the node becomes its data plane, a dataset an asset.
# Usage: CONTROL=URL MANAGEMENT=URL NODE=URL sh edc.sh TOKEN_FILE
#   CONTROL     the EDC's control API, as [signaling] control_plane says: http://localhost:9192/control
#   MANAGEMENT  its management API, e.g. http://localhost:9193/management
#   NODE        the node's management port as the EDC reaches it, e.g. http://127.0.0.1:9102
set -eu
ns='"@context": {"@vocab": "https://w3id.org/edc/v0.0.1/ns/"}'
post() { curl -sSf -o /dev/null -H 'Content-Type: application/json' -d "{$ns, $2}" "$1"; }
post "$CONTROL/v1/dataplanes" "\"@id\": \"preau\",
  \"url\": \"$NODE/v1/signaling/$(cat "$1")/dataflows\",
  \"allowedSourceTypes\": [\"Preau\"], \"allowedTransferTypes\": [\"HttpData-PULL\", \"HttpData-PUSH\"]"
post "$MANAGEMENT/v3/assets" '"@id": "traces", "properties": {"name": "Video traces of a course"},
  "dataAddress": {"type": "Preau", "dataset": "traces"}'
post "$MANAGEMENT/v3/policydefinitions" '"@type": "PolicyDefinition", "@id": "traces-policy",
  "policy": {"@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Set",
             "permission": [{"action": "use"}]}'
post "$MANAGEMENT/v3/contractdefinitions" '"@type": "ContractDefinition", "@id": "traces-offer",
  "accessPolicyId": "traces-policy", "contractPolicyId": "traces-policy",
  "assetsSelector": [{"@type": "Criterion", "operator": "=", "operandRight": "traces",
                      "operandLeft": "https://w3id.org/edc/v0.0.1/ns/id"}]'
echo "traces is an asset; its rows will leave by way of $NODE"
