#!/bin/sh
# Two universities on this machine: North publishes traces, South asks for them, anybody checks.
# Usage: sh run.sh FOLDER      (a new folder; needs preau and python3, and the ports 9101 to 9202)
set -eu; here=$(cd "$(dirname "$0")" && pwd); mkdir "$1"; cd "$1"
trap 'kill ${north:-} ${south:-}' EXIT
preau init north --name "North" --public-url http://localhost:9101 --dev
preau init south --name "South" --public-url http://localhost:9201 --dev
north=$(preau serve north --background); south=$(preau serve south --background)
# Each knows the other. North publishes, and records who consented to South's research.
preau peer add http://localhost:9201 --node north
preau peer add http://localhost:9101 --node south
python3 "$here/files.py" did:web:localhost%3A9201
preau dataset add traces.jsonl --about about.toml --node north
preau token add "North's DPO" --role dpo --node north > dpo.token
preau consent import consents.csv --node north --token-file dpo.token
# South asks; North's data protection officer approves; South fetches what was agreed.
preau request http://localhost:9101/datasets/traces --application application.json --node south
preau negotiation decide --as dpo --approve --wait 30 --node north --token-file dpo.token
preau negotiation show --wait 30 --until FINALIZED --node south
preau transfer fetch --out received --node south
# North gathers the evidence; anybody checks it, without a node.
preau audit bundle --out bundle.zip --node north
preau audit verify bundle.zip --files received
