"""What the README shows of output and names is what comes out, where no engine is needed for it."""

import re
import subprocess
import sys
from pathlib import Path

from launcher import container
from supervisor_cli.errors import ExitCode
from tests.support.readme import snippet

FAULTY = """\
  - { id: OLD-1, template: wallbox, voltag: 240 }
  - { id: OLD-2, template: wallbox, nb_phases: 4 }
"""


def test_the_faults_of_a_fleet_file(tmp_path: Path) -> None:
    good = snippet("Fleet files", "yaml").text
    (tmp_path / "fleet.yaml").write_text(f"{good}{FAULTY}", "utf-8")
    typed, *shown = snippet("Fleet files", "text").text.splitlines()
    prompt, program, *words = typed.split()
    assert (prompt, program) == ("$", "simuctl")
    ran = subprocess.run(
        [sys.executable, "-m", "supervisor_cli", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.stderr.splitlines() == shown
    assert (ran.returncode, ran.stdout) == (ExitCode.USAGE, "")


def test_the_picture_of_the_parts() -> None:
    text = snippet("How it fits together", "text").text
    named = re.findall(r"container (\S+)", text)
    assert named == [container.name("cp-simu", each) for each in ("CP-0001", "CP-0002", "CP-…")]
