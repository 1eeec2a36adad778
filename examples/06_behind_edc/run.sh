#!/bin/sh
# A node that releases for an EDC: North keeps its EDC, and Préau decides about each learner's rows.
# Usage: sh run.sh FOLDER      (a new folder; needs preau and python3, and the ports 9101 and 9102)
set -eu; here=$(cd "$(dirname "$0")" && pwd); mkdir "$1"; cd "$1"
trap 'kill ${node:-}' EXIT
preau init north --name "North" --public-url http://localhost:9101 --dev
printf '\n[signaling]\ncontrol_plane = "http://localhost:9192/control"\n' >> north/preau.toml
node=$(preau serve north --background)
# South's EDC is a consumer of North's EDC; 20 of 30 learners consented to the group it is in.
preau peer add south-edc --signaled --group labs --node north
python3 "$here/../01_two_universities/files.py" group:labs
grep -v '^decisions' about.toml > open.toml  # an EDC cannot wait for people's decisions
preau dataset add traces.jsonl --about open.toml --node north
preau token add "North's DPO" --role dpo --node north > dpo.token
preau consent import consents.csv --node north --token-file dpo.token
preau token add edc --role control-plane --node north > edc.token
# From here on North's EDC acts; control_plane.py sends the signals that an EDC 0.14.1 sends.
signal() { python3 "$here/control_plane.py" http://127.0.0.1:9102 edc.token "$@"; }
signal start > address.json; signal read < address.json > rows.ndjson
# A learner takes it back: the next read lacks her rows. Then South's EDC ends the transfer.
sed -e '1!{2!d;}' -e 's/,given,/,withdrawn,/;s/event-0/event-w/' consents.csv > withdrawn.csv
preau consent import withdrawn.csv --node north --token-file dpo.token
signal read < address.json > later.ndjson; signal terminate
wc -l rows.ndjson later.ndjson
preau transfer list --node north
preau transfer show "$(signal id)" --node north
