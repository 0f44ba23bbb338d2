import os
import signal

import pytest

from generator.workers import _stops_held


def test_ctrl_c_waits_until_a_worker_has_started() -> None:
    reached = []

    def start() -> None:
        with _stops_held():
            os.kill(os.getpid(), signal.SIGINT)  # to the process: any of its threads may take it
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        start()
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
