#!/bin/sh
# Two universities on this machine: North publishes traces, South asks for them, a third checks.
# Usage: sh run.sh [FOLDER]   (a new folder; needs `preau` and `python3`, or PREAU= and PYTHON=)
set -eu
here=$(cd "$(dirname "$0")" && pwd); mkdir "${1:-two-universities}"; cd "${1:-two-universities}"
preau() { ${PREAU:-preau} "$@"; }
n=${NORTH:-9101} s=${SOUTH:-9201}            # public ports; the next one is for their own people
# Each university makes its node, starts it, and lets it end with this script.
preau init north --name "North" --public-url "http://localhost:$n" --management "127.0.0.1:$((n+1))" --dev
preau init south --name "South" --public-url "http://localhost:$s" --management "127.0.0.1:$((s+1))" --dev
${PREAU:-preau} serve north 2>north.log & north=$!; ${PREAU:-preau} serve south 2>south.log & south=$!
trap 'kill $north $south; wait' EXIT
for node in north south; do until preau peer list --node $node >/dev/null 2>&1; do kill -0 $north $south; done; done
# North knows South, publishes its traces, records who consented, and has a data protection officer.
preau peer add "did:web:localhost%3A$s" --name South --node north; preau peer add "did:web:localhost%3A$n" --node south
${PYTHON:-python3} "$here/files.py" "did:web:localhost%3A$s"
preau dataset add traces.jsonl --about about.toml --node north
preau token add "North's DPO" --role dpo --node north > dpo.token
preau consent import consents.csv --node north --token-file dpo.token
# South asks; the request waits for North's DPO, who reads and approves it.
asked=$(preau request "http://localhost:$n/datasets/traces" --application application.json --node south | awk 'NR==1{print $1}')
until id=$(preau negotiation list --node north | awk '/dpo/{print $1}') && [ -n "$id" ]; do :; done
preau negotiation decide "$id" --as dpo --approve --node north --token-file dpo.token
preau negotiation show "$asked" --wait 30 --until FINALIZED --node south
# South fetches what was agreed; North gathers the evidence; anybody checks it, without a node.
agreement=$(preau agreement list --node south | awk 'NR==2{print $1}')
preau transfer fetch "$agreement" --out received --node south
preau audit bundle "$agreement" --out bundle.zip --node north
preau audit verify bundle.zip --files received
