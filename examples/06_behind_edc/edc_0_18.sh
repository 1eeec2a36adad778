#!/bin/sh
# What the operator of an EDC 0.18 does once: the node becomes its data plane, a dataset an asset.
# Usage: MANAGEMENT=URL NODE=URL sh edc_0_18.sh TOKEN_FILE
#   MANAGEMENT  the EDC's management API, e.g. http://localhost:9193/management
#   NODE        the node's management port as the EDC reaches it, e.g. http://127.0.0.1:9102
# [signaling] control_plane is that EDC's *signaling* API, e.g. http://localhost:8182/api/signaling
set -eu
ns='"@context": ["https://w3id.org/edc/connector/management/v2"]'
send() { curl -sSf -o /dev/null -X "$1" -H 'Content-Type: application/json' -d "$3" "$MANAGEMENT/v4/$2"; }
post() { send POST "$1" "{$ns, $2}"; }
send PUT dataplanes "{\"dataplaneId\": \"preau\", \"labels\": [\"preau\"],
  \"endpoint\": \"$NODE/v1/signaling/$(cat "$1")/dataflows\", \"transferTypes\": [\"HttpData-PULL\", \"HttpData-PUSH\"]}"
post assets '"@type": "Asset", "@id": "traces", "properties": {"name": "Video traces of a course"},
  "dataplaneMetadata": {"@type": "DataplaneMetadata", "labels": ["preau"],
                        "properties": {"dataset": "traces"}}'
post policydefinitions '"@type": "PolicyDefinition", "@id": "traces-policy",
  "policy": {"@type": "Set", "permission": [{"action": "use"}]}'
post contractdefinitions '"@type": "ContractDefinition", "@id": "traces-offer",
  "accessPolicyId": "traces-policy", "contractPolicyId": "traces-policy",
  "assetsSelector": [{"@type": "Criterion", "operator": "=", "operandRight": "traces",
                      "operandLeft": "https://w3id.org/edc/v0.0.1/ns/id"}]'
echo "traces is an asset; its rows will leave by way of $NODE"
