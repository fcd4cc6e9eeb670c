"""Modules that are put off: nothing of them runs before it is needed, and then all of it."""

import importlib
import subprocess
import sys
import textwrap

import pytest

from cp_image import late_modules


def said(code: str) -> str:
    """Return what a fresh interpreter prints that has put modules off first."""
    whole = "from cp_image import late_modules\nlate_modules.put_off()\n" + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", whole], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_one_loads_nothing() -> None:
    assert (
        said("""
            import sys, ssl, asyncio, urllib.request
            print("_ssl" in sys.modules, "http.client" in sys.modules)
            """)
        == "False False\n"
    )


def test_comparing_with_its_types_loads_nothing() -> None:
    assert (
        said("""
            import sys, ssl, socket
            with socket.socket() as one:
                print(isinstance(one, ssl.SSLSocket))
            try:
                raise BlockingIOError
            except ssl.SSLWantReadError:
                print("want read")
            except BlockingIOError:
                print("blocking")
            print(isinstance(OSError(), ssl.SSLError), "_ssl" in sys.modules)
            """)
        == "False\nblocking\nFalse False\n"
    )


def test_using_one_loads_it() -> None:
    assert (
        said("""
            import ssl
            context = ssl.create_default_context()
            print(type(ssl).__name__, type(context) is ssl.SSLContext)
            print(issubclass(ssl.SSLCertVerificationError, ssl.SSLError), ssl.SSLError.__module__)
            from ssl import SSLSocket
            print(SSLSocket is ssl.SSLSocket, SSLSocket.__mro__[1].__name__)
            """)
        == "module True\nTrue ssl\nTrue socket\n"
    )


def test_an_event_loop_speaks_tls_all_the_same() -> None:
    assert (
        said("""
            import asyncio, ssl

            async def main():
                async def hang_up(reader, writer):
                    writer.close()
                server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
                port = server.sockets[0].getsockname()[1]
                try:
                    await asyncio.open_connection(
                        "127.0.0.1", port, ssl=ssl.create_default_context()
                    )
                except (ConnectionError, ssl.SSLError) as exc:
                    print("no TLS")
                server.close()
                await server.wait_closed()

            asyncio.run(main())
            """)
        == "no TLS\n"
    )


def test_an_event_loop_runs_programs_all_the_same() -> None:
    assert (
        said("""
            import asyncio, subprocess, sys
            print("_posixsubprocess" in sys.modules)

            async def main():
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", "print(7)", stdout=subprocess.PIPE
                )
                return (await process.communicate())[0].decode().strip()

            print(asyncio.run(main()), subprocess.PIPE, asyncio.subprocess.DEVNULL)
            """)
        == "False\n7 -1 -3\n"
    )


def test_what_stands_for_constants_is_what_they_are() -> None:
    for module, constants in late_modules._CONSTANTS.items():
        real = importlib.import_module(module)
        assert constants == {name: getattr(real, name) for name in constants}


def test_threads_that_need_one_at_the_same_time_all_get_it() -> None:
    assert (
        said("""
            import ssl, threading
            start, seen = threading.Barrier(8), []

            def use():
                start.wait()
                seen.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

            threads = [threading.Thread(target=use) for _ in range(8)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            print(len(seen))
            """)
        == "8\n"
    )


@pytest.mark.parametrize(
    ("module", "name"), [("ssl", "nonsense"), ("importlib.metadata", "nonsense")]
)
def test_a_name_that_a_module_has_not_is_an_attribute_error(module: str, name: str) -> None:
    assert (
        said(f"""
            import {module}
            try:
                {module}.{name}
            except AttributeError as exc:
                print(exc)
            """)
        == f"module '{module}' has no attribute '{name}'\n"
    )


def test_what_is_loaded_already_is_left_alone() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import ssl, hashlib; from cp_image import late_modules as late; late.put_off();"
            "import sys; print(type(ssl).__name__, sys.modules.get('_hashlib') is not None)",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "module True\n"


def test_hashes_are_pythons_own() -> None:
    assert (
        said("""
            import hashlib, hmac, sys
            print(hashlib.sha256(b"a").hexdigest()[:8], hashlib.md5(b"a").hexdigest()[:8])
            print(hmac.new(b"k", b"m", "sha1").hexdigest()[:8], sys.modules["_hashlib"])
            """)
        == "ca978112 0cc175b9\n772b71c8 None\n"
    )
