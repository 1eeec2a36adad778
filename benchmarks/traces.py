"""Generated statements of the size of real MOOC traces (1.2 kB a row), and who consents."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from connector.cli.story import consents, generate
from connector.cli.story.about import NOTICE, PURPOSE
from connector.cli.story.consents import Account

_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0 Bench/1."
_EXTENSION: Final = "https://w3id.org/xapi/video/extensions/"
_SIZE: Final = 1_200


def write(path: Path, rows: int) -> list[Account]:
    """Write about so many statements of 1.2 kB as JSON Lines; their learners, in order."""
    accounts: dict[Account, None] = {}
    count = 0
    with path.open("w", encoding="utf-8") as out:
        # About 25 statements a learner; more are asked for than are taken.
        for row in generate.statements("preau-bench-1", max(60, rows // 10)):
            if count >= rows:
                break
            count += 1
            account = row["actor"]["account"]
            accounts[Account(account["homePage"], account["name"])] = None
            extensions = row["context"]["extensions"]
            extensions[_EXTENSION + "user-agent"] = _AGENT + str(count % 90)
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            room = _SIZE - len(line.encode()) - len(_EXTENSION) - 12
            if room > 0:
                extensions[_EXTENSION + "page"] = "p" * room
                line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            out.write(line + "\n")
    return list(accounts)


def consent_file(
    accounts: Iterable[Account], recipient: str, category: str, *, everybody: bool
) -> bytes:
    """Consents for import: of everybody, or of the seven in ten of the demo's rule."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(consents.COLUMNS)
    number = 0
    for account in accounts:
        if everybody or consents.consents(account.name):
            number += 1
            who = ("account", account.name, account.home)
            event = f"{category[-6:]}-{number}"
            given = ("given", consents.GIVEN_AT, "", NOTICE)
            rows.writerow((event, *who, recipient, PURPOSE, category, *given))
    return out.getvalue().encode()
