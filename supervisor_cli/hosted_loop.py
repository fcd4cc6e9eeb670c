"""An event loop in a thread of its own, for those who do not want one."""

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent import futures
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from supervisor_cli.errors import ExitCode, SimuError

E = TypeVar("E")
T = TypeVar("T")
__tracebackhide__ = True  # of interest in a failed test is the line that called

_STANDS_STILL = (
    "this thread's own event loop stood still meanwhile, and a CSMS in it could not answer: "
    "await AsyncSimu there"
)


class HostedLoop(Generic[E]):
    """Runs a loop in a thread, with an async context manager entered for as long as it is open.

    Args:
        open_context: called in the thread; what it returns is entered and left there.
        name: of the thread.

    Attributes:
        entered: what the context manager gave.

    Raises:
        SimuError: or whatever else entering raises.
    """

    def __init__(
        self, open_context: Callable[[], AbstractAsyncContextManager[E]], *, name: str
    ) -> None:
        self._open_context = open_context
        self._entering: futures.Future[E] = futures.Future()
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._pending: set[futures.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()
        try:
            self.entered = self._entering.result()
        except SimuError as exc:
            self.close()
            raise exc.with_traceback(None) from exc.__cause__  # as in `run`
        except BaseException:
            self.close()
            raise
        # Who forgets to close it still says goodbye to the broker.
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and return what it returns.

        Raises:
            SimuError: the loop is closed, or whatever the coroutine raises.
        """
        with self._lock:
            try:
                future = asyncio.run_coroutine_threadsafe(work, self._loop)
            except RuntimeError as exc:  # the loop is closed
                work.close()
                raise self._gone() from exc
            self._pending.add(future)
        try:
            return future.result()
        except futures.CancelledError as exc:
            raise self._gone() from exc
        except SimuError as exc:
            if exc.exit_code is ExitCode.TIMEOUT and _in_a_loop():
                exc.add_note(f"hint: {_STANDS_STILL}")
            # It says what is wrong; where in the other thread it was noticed is of no interest.
            raise exc.with_traceback(None) from exc.__cause__
        except BaseException:  # Ctrl-C in this thread ends the work in the other one
            future.cancel()
            raise
        finally:
            self._pending.discard(future)

    def close(self) -> None:
        """Leave the context manager and end the thread; once is enough, and twice is no harm."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        atexit.unregister(self.close)

    def _serve(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self._host())
        except BaseException as exc:  # noqa: BLE001 - raised in the thread that asks
            self._failure = exc
            if not self._entering.done():
                self._entering.set_exception(exc)
        finally:
            with self._lock:
                for future in tuple(self._pending):  # the loop that would end them is closed
                    future.cancel()

    async def _host(self) -> None:
        self._stop = asyncio.Event()
        async with self._open_context() as entered:
            self._entering.set_result(entered)
            await self._stop.wait()

    def _gone(self) -> SimuError:
        why = f": {self._failure}" if self._failure is not None else ""
        return SimuError(f"the connection to the environment is closed{why}")


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
