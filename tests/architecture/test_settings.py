"""docs/configuration.md lists every key of `preau.toml`, with the default that the code has."""

import json
import re
from typing import get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from connector.base.settings import Settings, _Table
from tests.support.source import ROOT

ROW = re.compile(r"^\| `\[(\w+)\] (\w+)` \| ([^|]+?) \|", re.MULTILINE)


def test_every_key_stands_there_with_its_default():
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    listed = {(table, key): shown.strip("`") for table, key, shown in ROW.findall(text)}
    known = {}
    for table, outer in Settings.model_fields.items():
        # A table, or (a tuple of them) one that may stand several times.
        (model,) = {outer.annotation, *get_args(outer.annotation)} & _tables()
        assert issubclass(model, BaseModel)
        for key, field in model.model_fields.items():
            known[table, key] = field.default
    assert listed.keys() == known.keys()
    differing = {
        place: shown
        for place, shown in listed.items()
        if known[place] is not PydanticUndefined
        and place != ("node", "did")
        and shown != _shown(known[place])
    }
    assert differing == {}


def _tables() -> set[type[BaseModel]]:
    """Every kind of table there is."""
    return set(_Table.__subclasses__())


def _shown(default: object) -> str:
    if default is None:
        return "none"
    return default if isinstance(default, str) else json.dumps(default)
