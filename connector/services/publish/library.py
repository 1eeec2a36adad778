"""The institution's own policy templates: the files `DIR/templates/*.json` of a node.

Read anew for each dataset that is published, so that a template is corrected without a restart.
What a template may hold is checked in `policies.templates`; here only files are read.
"""

import json
import re
from pathlib import Path
from typing import Final

from policies import templates
from policies.problem import Problem

FOLDER: Final = "templates"
NAME: Final = re.compile(r"[a-z0-9-]{1,60}")
"""What a template's file can be called, without `.json`; the form says it in full."""
_MAX_BYTES: Final = 1_000_000


def own_templates(folder: Path) -> templates.Library:
    """The templates beside the built-in ones in a node's folder; none where there is no folder.

    Raises:
        Problem: `publish-template-unreadable` (no UTF-8 JSON, too large, not readable),
            `policy-template-taken`, `policy-template-form`.
    """
    return templates_in(folder / FOLDER)


def templates_in(folder: Path) -> templates.Library:
    """The templates in a folder; none where there is no folder.

    Raises:
        Problem: as `own_templates`.
    """
    found = sorted(folder.glob("*.json"))
    return templates.library({path.stem: _json(path) for path in found})


def _json(path: Path) -> object:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise Problem("publish-template-unreadable", file=path.name, reason=f"> {_MAX_BYTES} B")
        return json.loads(data.decode("utf-8"))
    except OSError as fault:
        reason = fault.strerror or "I/O"
    except (ValueError, RecursionError) as fault:  # not UTF-8, not JSON, or nested without end
        reason = str(fault)[:200]
    raise Problem("publish-template-unreadable", file=path.name, reason=reason)
