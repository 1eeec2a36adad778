"""The small files of the example: traces, a declaration, consents, a request. All invented."""

import csv
import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

RECIPIENT = sys.argv[1]  # the DID of the university that asks
HOME, PREAU = "https://learn.north.example", "https://w3id.org/preau/ns#"
START = datetime(2025, 9, 1, 8, tzinfo=UTC)
FIELDS = ["actor", "object.id", "timestamp", "verb.id"]

with Path("traces.jsonl").open("w", encoding="utf-8") as out:
    for number in range(240):  # 30 learners, 8 statements each
        learner, moment = f"learner-{number % 30:02d}", START + timedelta(minutes=97 * number)
        verb, page = ("played", "paused", "completed")[number % 3], number % 7
        statement = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{HOME}/{number}")),
            "actor": {"account": {"homePage": HOME, "name": learner}},
            "verb": {"id": f"https://example.org/verbs/{verb}"},
            "object": {"id": f"{HOME}/videos/{page}"},
            "timestamp": moment.isoformat().replace("+00:00", "Z"),
        }
        out.write(json.dumps(statement) + "\n")

with Path("consents.csv").open("w", encoding="utf-8", newline="") as out:
    rows = csv.writer(out)
    first = ["event_id", "id_type", "id_value", "id_home", "recipient", "purpose", "category"]
    rows.writerow([*first, "status", "at", "valid_until", "notice"])
    what = (RECIPIENT, PREAU + "EducationResearch", PREAU + "LearningTraces")
    for number in range(20):  # 20 of the 30 said yes
        who = (f"event-{number}", "account", f"learner-{number:02d}", HOME)
        rows.writerow((*who, *what, "given", "2025-09-01T08:00:00Z", "", ""))

Path("about.toml").write_text(f"""\
id = "traces"
kind = "xapi"
category = "{PREAU}LearningTraces"
audience = "adults"
periodicity = "irregular"
until = 2027-12-31T00:00:00Z
retention = "P1Y"
decisions = ["dpo"]
[title]
fr = "Traces vidéo d'un cours"
en = "Video traces of a course"
[notice]
iri = "https://learn.north.example/notice"
version = "1"
text = "With your consent, your traces serve research in education."
[basis]
type = "consent"
reference = "Register of processing, entry 12"
[policy]
template = "research-under-consent"
[policy.params]
purposes = ["{PREAU}EducationResearch"]
until = "2027-12-31T00:00:00Z"
retention = "P1Y"
""", encoding="utf-8")  # fmt: skip

Path("application.json").write_text(json.dumps({
    "purpose": PREAU + "EducationResearch",
    "project": {"title": "When do learners pause?", "end": "2027-06-30"},
    "fields": FIELDS,
    "period": {"from": "2025-09-01T00:00:00Z", "to": "2025-12-01T00:00:00Z"},
    "relation": {"type": "separate"},
    "processors": [],
}), encoding="utf-8")  # fmt: skip
