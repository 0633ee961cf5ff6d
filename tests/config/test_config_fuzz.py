"""The bounded part of fuzzing; ``script/fuzz-config`` goes on as long as one likes."""

from __future__ import annotations

from itertools import islice

import pytest
from hold_fast import try_file
from mutations import hostile_files


@pytest.mark.parametrize("seed", range(10))
def test_nothing_but_a_config_error_ever_comes_out(seed: int) -> None:
    outcomes = [try_file(data) for data in islice(hostile_files(seed), 150)]
    assert {"accepted", "refused"} <= set(outcomes)
    assert outcomes.count("not writable") <= len(outcomes) // 20
