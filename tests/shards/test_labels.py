import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shards.errors import UserError
from shards.labels import check_label, to_digits, to_labels

LABELS = st.text("0123456789", min_size=1, max_size=5)


@pytest.mark.parametrize("label", ["", "123456", "12a", " 1", "-1", "1.5", "٣", "²"])
def test_other_text_is_refused(label: str) -> None:
    with pytest.raises(UserError, match="1 to 5 digits"):
        check_label(label)


def test_digits_are_left_aligned() -> None:
    digits = to_digits(["042", "7"])
    assert digits.dtype == np.int8
    assert digits.tolist() == [[0, 4, 2, -1, -1], [7, -1, -1, -1, -1]]


@given(st.lists(LABELS, max_size=8))
def test_labels_survive_the_round_trip(labels: list[str]) -> None:
    assert to_labels(to_digits(labels)) == labels
