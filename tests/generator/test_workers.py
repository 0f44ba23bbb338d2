import os
import signal

import pytest

from generator.workers import _stops_held


def test_ctrl_c_waits_until_a_worker_has_started() -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), _stops_held():
        os.kill(os.getpid(), signal.SIGINT)  # to the process: any of its threads may take it
        reached = True
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
