"""Acts 3 and 4: a request refused for its purpose; one returned by the DPO, then agreed."""

import json
import re
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from catalog import proofs
from catalog.verify import assertion_keys
from connector.cli.client import segment
from connector.cli.story.about import COMMERCIAL, PURPOSE
from connector.cli.story.deals import TRACES, Deal
from connector.cli.story.facts import Said, median, pick, short
from connector.cli.story.scene import Json, Scene, counterpart, draft, negotiation
from policies.jcs import digest
from policies.problem import LANGUAGES, Language, Problem
from policies.vocabulary import ODRL, compact, label

# What a device or a viewing habit is recognised by; the DPO of the demo does not let it out.
_TOO_MUCH: Final = re.compile(
    r"played-segments|volume|speed|full-screen|quality|subtitle|user-agent|screen-size|ip-address"
)
_NEGOTIATIONS: Final = 10


def refuse(scene: Scene) -> None:
    """Commercial research is not what the learners were asked."""
    with scene.act(3, "purpose", "Une demande refusée", "A request refused"):
        researcher, dpo = scene.lab.who("researcher"), scene.platform.who("dpo")
        scene.voice.command(scene.lab, f"request {scene.dataset} --application commercial.json")
        asked = draft(COMMERCIAL, scene.fields, scene.source.period, scene.until()[:10])
        made = researcher.post("/v1/requests", {"dataset": scene.dataset, "application": asked})
        here = negotiation(researcher, made["pid"], until="SETTLED")
        there = negotiation(dpo, counterpart(researcher, made["pid"]), until="SETTLED")
        scene.board.note(
            ("demande de recherche commerciale", "request for commercial research"),
            "TERMINATED",
            here["state"],
        )
        _tell_reasons(scene, here, there)


def agree(scene: Scene) -> None:
    """Asked for everything, returned with fewer fields, resubmitted, approved, signed twice."""
    with scene.act(4, "agreement", "Une demande renvoyée, puis accordée", "Returned, then agreed"):
        researcher, dpo = scene.lab.who("researcher"), scene.platform.who("dpo")
        end = scene.until()[:10]
        scene.voice.command(scene.lab, f"request {scene.dataset} --application request.json")
        asked = draft(PURPOSE, scene.fields, scene.source.period, end)
        made = researcher.post("/v1/requests", {"dataset": scene.dataset, "application": asked})
        here, there = made["pid"], counterpart(researcher, made["pid"])
        waiting = negotiation(dpo, there, until="SETTLED")
        scene.board.note(
            ("attend une décision", "waits for a decision"),
            "dpo",
            ", ".join(waiting["awaiting"]),
            detail=True,
        )
        kept = _return(scene, here, there)
        scene.voice.command(scene.lab, f"negotiation resubmit {here} --application changed.json")
        path = f"/v1/negotiations/{segment(here)}/applications"
        changed = draft(PURPOSE, kept, scene.source.period, end)
        researcher.post(path, {"application": changed})
        negotiation(dpo, there, until="SETTLED")
        scene.voice.command(scene.platform, f"negotiation decide {there} --as dpo --approve")
        decide(scene, there, {"outcome": "approve", "reason": ""})
        final = negotiation(researcher, here, until="FINALIZED")
        scene.board.note(
            ("état chez le laboratoire", "state at the lab"),
            "FINALIZED",
            final["state"],
            detail=True,
        )
        negotiation(dpo, there, until="FINALIZED")
        scene.deals[TRACES] = Deal(
            TRACES, scene.platform, scene.lab, str(final["agreement"]), scene.folders.received
        )
        _compare(scene, here, there, kept)


def time_negotiations(scene: Scene) -> None:
    """Some automatic negotiations, one after the other, timed by the lab's node."""
    researcher = scene.lab.who("researcher")
    fields = next(d["fields"] for d in scene.seen["datasets"] if d["id"] == scene.sample)
    asked = draft(PURPOSE, tuple(fields), scene.source.period, scene.until()[:10])
    spans = []
    for _ in range(_NEGOTIATIONS):
        made = researcher.post("/v1/requests", {"dataset": scene.sample, "application": asked})
        final = negotiation(researcher, made["pid"], until="FINALIZED")
        span = datetime.fromisoformat(final["updated"]) - datetime.fromisoformat(final["created"])
        spans.append(span.total_seconds() * 1000)
    scene.board.measure(
        "negotiation-p50",
        ("négociation automatique, médiane", "automatic negotiation, p50"),
        median(spans),
        "ms",
    )


def _return(scene: Scene, here: str, there: str) -> tuple[str, ...]:
    """The DPO keeps fewer fields and says why; the fields that remain."""
    kept = tuple(name for name in scene.fields if not _TOO_MUCH.search(name))
    if len(kept) == len(scene.fields):
        extensions = [name for name in scene.fields if "extensions" in name]
        kept = tuple(name for name in scene.fields if name not in extensions[-1:])
    reason = "Minimisation : ces champs ne servent pas votre question."
    scene.voice.command(
        scene.platform,
        f"negotiation decide {there} --as dpo --return offer.json --reason …",
    )
    offer = {"v": 1, "fields": sorted(kept)}
    decide(scene, there, {"outcome": "return", "reason": reason, "offer": offer})
    found = negotiation(scene.lab.who("researcher"), here, until="OFFERED")
    scene.voice.tell(
        f"{len(scene.fields)} champs demandés, {len(kept)} proposés : {reason}",
        f"{len(scene.fields)} fields asked for, {len(kept)} offered: {reason}",
    )
    scene.board.judge(
        ("renvoyée par le DPO, avec sa raison", "returned by the DPO, with the reason"),
        ("OFFERED",) * 2,
        (found["state"],) * 2,
        ok=found["state"] == "OFFERED" and reason in found["reasons"],
    )
    return kept


def decide(scene: Scene, pid: str, decision: Json) -> None:
    """The platform's officer decides."""
    path = f"/v1/negotiations/{segment(pid)}/decisions"
    scene.platform.who("dpo").post(path, {"role": "dpo", **decision})


def _compare(scene: Scene, here: str, there: str, kept: tuple[str, ...]) -> None:
    """The two agreements, as each node holds it; id and digest are recomputed from outside."""
    board, path = scene.board, f"/v1/agreements/{segment(scene.traces.agreement)}"
    mine = scene.lab.who("researcher").get(path)
    theirs = scene.platform.who("dpo").get(path)
    board.note(
        ("identifiant de l'accord, des deux côtés", "agreement id, on both sides"),
        _agreement_id(scene.platform.did, scene.lab.did, there, here),
        mine["id"] if mine["id"] == theirs["id"] else f"{mine['id']} ≠ {theirs['id']}",
        detail=True,
    )
    board.note(
        ("empreinte de l'accord, des deux côtés", "agreement digest, on both sides"),
        short(digest(mine["document"])),
        short(theirs["digest"]),
    )
    board.note(
        ("signatures valides sur cette empreinte", "valid signatures over that digest"),
        2,
        sum(
            _valid(scene, mine["document"], proof)
            for proof in (mine["provider_proof"], theirs["consumer_proof"])
        ),
    )
    scene.traces.read_plan()
    board.note(
        ("champs de l'accord", "fields of the agreement"),
        len(kept),
        len({field["name"] for field in scene.traces.plan["fields"]} & set(kept)),
        detail=True,
    )


def _agreement_id(provider: str, consumer: str, provider_pid: str, consumer_pid: str) -> str:
    """FORMATS: UUIDv8 of SHA-256 over JCS of four names (for plain texts, compact JSON)."""
    named = json.dumps([provider, consumer, provider_pid, consumer_pid], separators=(",", ":"))
    block = bytearray(sha256(named.encode()).digest()[:16])
    block[6] = block[6] & 0x0F | 0x80
    block[8] = block[8] & 0x3F | 0x80
    return UUID(bytes=bytes(block)).urn


def _valid(scene: Scene, document: Json, proof: Json | None) -> bool:
    """Whether a proof is one over this document, by a key its signer's DID document lists."""
    if proof is None:
        return False
    keys: dict[str, bytes] = {}
    for node in (scene.platform, scene.lab):
        did = json.loads(scene.public(node, "/.well-known/did.json"))
        keys |= assertion_keys(did, node.did)
    try:
        proofs.verify({**document, "proof": proof}, keys.__getitem__)
    except (Problem, KeyError):
        return False
    return True


def _tell_reasons(scene: Scene, here: Json, there: Json) -> None:
    """What each party reads: the requester the shared rendering, the platform all of it (P7)."""
    theirs = _halves([str(reason) for reason in here["reasons"]])
    ours = _unmet(there["decisions"][-1]["internal"]) if there["decisions"] else []
    said = tuple("; ".join(_sentence(one, lang) for one in ours) for lang in LANGUAGES)
    scene.voice.tell("ce que lit le laboratoire :", "what the lab reads:")
    scene.voice.quote(pick(theirs, scene.voice.lang))
    scene.voice.tell("ce que lit la plateforme :", "what the platform reads:")
    scene.voice.quote(pick((said[0], said[1]), scene.voice.lang))
    scene.board.judge(
        ("raison, telle que la lit le demandeur", "reason, as the requester reads it"),
        ("la finalité", "the purpose"),
        theirs,
        ok="finalité" in theirs[0] and "purpose" in theirs[1],
    )
    scene.board.judge(
        ("raison, vue de la plateforme", "reason, as the platform sees it"),
        ("la finalité, seule", "the purpose, alone"),
        (said[0], said[1]),
        ok=[(one["operand"], _iris(one["seen"])) for one in ours]
        == [(ODRL + "purpose", [COMMERCIAL])],
        detail=True,
    )


def _unmet(trace: Json) -> list[Json]:
    """The constraints of a trace that were not met, with what was seen and where."""
    rules = trace.get("rules", [])
    found = [item for rule in rules for item in rule.get("constraints", [])]
    return [item for item in found if item.get("outcome") == "unsatisfied"]


def _sentence(unmet: Json, lang: Language) -> str:
    required, seen = (
        ", ".join(label(iri, lang) for iri in _iris(unmet[member]))
        for member in ("required", "seen")
    )
    source = f"{unmet['source']}, {unmet['assurance']}"
    if lang == "fr":
        return f"{compact(unmet['operand'])} : il fallait {required}, vu {seen} ({source})"
    return f"{compact(unmet['operand'])}: required {required}, seen {seen} ({source})"


def _iris(values: list[Json] | None) -> list[str]:
    return [str(value.get("id", value.get("value"))) for value in values or []]


def _halves(reasons: list[str]) -> Said:
    """Reasons travel in English, then in French (P6); as one text each, French first here."""
    half = (len(reasons) + 1) // 2
    return " ".join(reasons[half:] or reasons), " ".join(reasons[:half])
