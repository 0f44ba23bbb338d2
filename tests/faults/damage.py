"""Damaged bytes and strange values, for parsers to refuse."""

from collections.abc import Callable

from hypothesis import strategies as st

Parser = Callable[[bytes], object]

STRANGE_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
) | st.sampled_from([2**63, 10**30, -1, "\ud800", "../x", "NaN", [], {}])


def damaged(*bases: bytes, spots: list[int] | None = None) -> st.SearchStrategy[bytes]:
    """Any bytes, or one of `bases` with bytes changed (at `spots`), cut out, put in or cut off."""

    @st.composite
    def edit(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(bases)))
        for _ in range(draw(st.integers(1, 4))):
            anywhere = st.integers(0, max(len(data) - 1, 0))
            at = draw(st.sampled_from(spots) if spots and draw(st.booleans()) else anywhere)
            kind = draw(st.sampled_from(["flip", "write", "insert", "remove", "cut"]))
            new = draw(st.binary(min_size=1, max_size=9))
            if kind == "flip" and at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
            elif kind == "write":
                data[at : at + len(new)] = new
            elif kind == "insert":
                data[at:at] = new * draw(st.sampled_from([1, 57, 512]))
            elif kind == "remove":
                del data[at : at + draw(st.sampled_from([1, 512, 7168]))]
            elif draw(st.integers(0, 3)) == 0:
                del data[at:]
        return bytes(data)

    return st.one_of(edit(), edit(), edit(), st.binary(max_size=2_000))
