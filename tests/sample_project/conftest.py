"""The CSMS under test, fresh for each test."""

from collections.abc import Iterator

import pytest
from sample_csms import Csms


@pytest.fixture
def csms() -> Iterator[Csms]:
    running = Csms()
    yield running
    running.close()
