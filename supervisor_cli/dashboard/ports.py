"""What the dashboard needs from elsewhere, and is handed in."""

from collections.abc import AsyncGenerator
from typing import Protocol

from supervisor_cli.log_line import LogLine


class LogSource(Protocol):
    """Where the logs of charge points come from."""

    def follow(self, charge_point_id: str) -> AsyncGenerator[LogLine, None]:
        """Yield the last lines of a charge point's log, and then each further one.

        It ends when the charge point's process does.

        Raises:
            SimuError: on iterating: there is no such log, or it cannot be reached.
        """
