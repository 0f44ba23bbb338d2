import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.rng import coarse_uniforms_of, uniforms, uniforms_of


@given(st.integers(0, 2**63), st.integers(0, 10**9), st.integers(0, 40), st.integers(0, 40))
def test_a_row_depends_on_seed_and_sample_alone(seed: int, start: int, a: int, b: int) -> None:
    whole = uniforms(seed, start, a + b, 8)
    parts = [uniforms(seed, start, a, 8), uniforms(seed, start + a, b, 8)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_rows_and_seeds_differ() -> None:
    first, second = uniforms(1, 0, 500, 8), uniforms(2, 0, 500, 8)
    values = np.concatenate([first, second]).ravel()
    assert len(np.unique(values)) == len(values)
    assert 0 <= values.min()
    assert values.max() < 1


def test_the_stream_is_numpys_philox() -> None:
    expected = np.random.Generator(np.random.Philox(key=7)).random(24)[8:16]
    np.testing.assert_array_equal(uniforms(7, 1, 1, 8)[0], expected)


def test_draws_must_fill_whole_steps_of_the_counter() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        uniforms(0, 0, 1, 6)


def test_rows_of_scattered_samples_are_those_of_the_run() -> None:
    run = uniforms(7, 100, 40, 12)
    samples = np.array([139, 100, 101, 101, 120])
    np.testing.assert_array_equal(uniforms_of(7, samples, 12), run[samples - 100])
    far = np.array([2**62, 3])
    np.testing.assert_array_equal(uniforms_of(7, far, 12)[1:], uniforms(7, 3, 1, 12))
    np.testing.assert_array_equal(uniforms_of(7, far, 12)[:1], uniforms(7, 2**62, 1, 12))


def test_a_key_beyond_any_seed_is_another_stream() -> None:
    assert (uniforms_of(7 + (1 << 64), np.arange(5), 12) != uniforms(7, 0, 5, 12)).all()


def test_coarse_rows_are_numpys_in_single_precision_in_any_order() -> None:
    run = np.random.Generator(np.random.Philox(key=7)).random((140, 16), dtype=np.float32)
    samples = np.array([139, 100, 101, 101, 120])
    np.testing.assert_array_equal(coarse_uniforms_of(7, samples, 16), run[samples])


def test_coarse_draws_must_fill_whole_steps_too() -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        coarse_uniforms_of(0, np.arange(1), 12)
