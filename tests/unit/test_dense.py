"""A dense process begins again without random addresses, and asks for its memory to be merged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAYS = """
import os
from cp_image import dense
problems = dense.settle(os.environ)
print(open("/proc/self/personality").read().strip(), os.environ.get("PYTHONHASHSEED"), problems)
"""


def said(tmp_path: Path, **variables: str) -> str:
    program = tmp_path / "says.py"
    program.write_text(SAYS)
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONHASHSEED"}
    done = subprocess.run(
        [sys.executable, str(program)],
        env={**environ, "PYTHONPATH": str(Path.cwd()), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def merges() -> bool:
    try:
        return "ksm_merge_any" in Path("/proc/self/ksm_stat").read_text()
    except OSError:
        return False


def test_an_ordinary_process_is_left_alone(tmp_path: Path) -> None:
    assert said(tmp_path).endswith("None []")


@pytest.mark.skipif(not merges(), reason="this kernel does not say whether a process is merged")
def test_a_dense_process_begins_again_once(tmp_path: Path) -> None:
    assert said(tmp_path, SIMU_DENSE="1") == "00040000 0 []"


def test_a_value_that_means_nothing_is_said(tmp_path: Path) -> None:
    assert "SIMU_DENSE is 'yes': only 1 means something" in said(tmp_path, SIMU_DENSE="yes")
