import pytest

from connector.cli.story import act_second
from connector.cli.story.treated import Row


@pytest.mark.parametrize(
    ("share", "most"), [(">99 %", 100.0), ("<1 %", 1.5), ("97 %", 97.5), ("not measured", 0.0)]
)
def test_an_announced_share_stands_for_so_much_at_most(share, most):
    assert act_second._most(share) == most


def test_counts_are_rounded_as_in_a_manifest():
    assert [act_second._about(n) for n in (0, 9, 10, 177)] == ["<10", "<10", "10", "170"]


def test_a_history_is_what_the_rows_of_a_person_say_in_any_order():
    rows = [Row("a", (), "2"), Row("b", (), "1"), Row("a", (), "1")]
    assert act_second._histories(rows) == {"a": ("1", "2"), "b": ("1",)}
