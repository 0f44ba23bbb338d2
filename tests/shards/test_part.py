import pytest
from hypothesis import given
from hypothesis import strategies as st

from shards.errors import UserError
from shards.part import Part


@given(st.integers(0, 200), st.integers(1, 40))
def test_parts_share_nothing_leave_nothing_and_are_even(count: int, of: int) -> None:
    dealt = [Part(number, of).deal(range(count)) for number in range(1, of + 1)]
    assert sorted(item for part in dealt for item in part) == list(range(count))
    sizes = [len(part) for part in dealt]
    assert max(sizes) - min(sizes) <= 1


def test_a_part_is_written_like_3_16() -> None:
    assert Part.parse("3/16") == Part(3, 16)
    assert str(Part(3, 16)) == "3/16"


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "3/", "-1/4", "1/4/5", "a/b", "", "١/٢"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no part of a build: 3/16 is the third of sixteen"):
        Part.parse(text)
