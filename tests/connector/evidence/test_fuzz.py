"""Whatever stands in a bundle, the verifier answers with a report."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.evidence.verify import verify

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([[1]]),
    st.just({"id": []}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path]
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(item, (*path, key))
    return found


def put(value: Any, path: tuple[Any, ...], item: Any) -> Any:
    if not path:
        return item
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = item
    return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_member_replaced_by_anything_gives_a_report(played, parties, tmp_path, forge, data):
    forger = forge(played.data)
    names = sorted(name for name in forger.files if name.endswith((".json", ".jsonl")))
    name = data.draw(st.sampled_from(names))
    item = data.draw(ODD)
    if name.endswith(".jsonl"):
        lines = forger.lines()
        line = data.draw(st.integers(0, len(lines) - 1))
        path = data.draw(st.sampled_from(places(lines[line])[1:]))
        put(lines[line], path, item)
        write(forger, lambda: forger.put_lines(lines))
    else:
        document = forger.json(name)
        put(document, data.draw(st.sampled_from(places(document)[1:])), item)
        write(forger, lambda: forger.put(name, document))
    if name != "index.json":
        forger.index(parties["platform"])
    report = verify(forger.write(tmp_path))
    assert report.document()["checks"]
    assert all(check.where for check in report.failures)


def write(forger, put_it) -> None:
    """A value without a canonical form cannot be signed: the file stays as it was."""
    try:
        put_it()
    except ValueError:
        return
