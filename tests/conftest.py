"""What holds for all tests."""

import signal

from hypothesis import HealthCheck, settings

# How long an example takes tells of the machine and of who else is on it, not of the code. Each run
# tries the same examples, so that a change is judged by what it changes; `--hypothesis-profile
# search` looks for new ones.
settings.register_profile(
    "search",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("same", parent=settings.get_profile("search"), derandomize=True)
settings.load_profile("same")

# A shell lets what it starts in the background ignore Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
