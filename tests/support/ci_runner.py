"""Runs a job file of GitHub Actions or GitLab CI as it stands, on this machine.

It does what their runners do with a job, as far as it is needed here: whatever else a file asks
for is an error, never passed over. What comes from elsewhere there is at hand here:

- the project is a folder, which is copied into a new workspace for each job;
- Python is this machine's, whatever version is asked for, in a new virtual environment;
- what is cached is in a folder, under its key;
- a job's own files go with it, but not its containers.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}")
_STEP_OUTPUT: Final = re.compile(r"steps\.([\w-]+)\.outputs\.([\w-]+)\Z")
_OUTPUT_LINE: Final = re.compile(r"([\w-]+)=(.*)\Z")


class JobError(Exception):
    """A job failed, or asks for what is not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Where jobs run.

    Attributes:
        project: what is checked out.
        caches: folder of what is kept from one job to the next.
        variables: environment of each job; the path says which programs the machine has.
    """

    project: Path
    caches: Path
    variables: Mapping[str, str]

    def restore(self, key: str, workspace: Path) -> bool:
        """Put into a workspace what is cached under a key; return whether anything is."""
        kept = self._cached(key)
        if not kept.is_dir():
            return False
        shutil.copytree(kept, workspace, dirs_exist_ok=True)
        return True

    def save(self, key: str, paths: Sequence[str], workspace: Path) -> None:
        """Cache files of a workspace, instead of what is cached under the key.

        Raises:
            JobError: there is no such file.
        """
        missing = [path for path in paths if not (workspace / path).is_file()]
        if missing:
            raise JobError(f"no file to be cached: {', '.join(missing)}")
        kept = self._cached(key)
        if kept.exists():
            shutil.rmtree(kept)
        for path in paths:
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(workspace / path, kept / path)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Lend an empty folder, with room beside it."""
        with tempfile.TemporaryDirectory(prefix="job-") as room:
            folder = Path(room) / "workspace"
            folder.mkdir()
            yield folder

    def check_out(self, workspace: Path) -> None:
        """Copy the project into a workspace."""
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
        shutil.copytree(self.project, workspace, ignore=ignored, dirs_exist_ok=True)

    def _cached(self, key: str) -> Path:
        if not re.fullmatch(r"[\w.-]+", key):
            raise JobError(f"a key of a cache is no name: {key!r}")
        return self.caches / key


def run_github_job(runner: Runner, text: str) -> None:
    """Run the one job of a workflow file; what it says goes to stdout.

    Raises:
        JobError: a step failed, or the file asks for what is not known here.
    """
    file = _known(YAML(typ="safe").load(text), "workflow", needed={"on", "jobs"}, may={"name"})
    ((name, job),) = file["jobs"].items()
    _known(job, f"job {name}", needed={"runs-on", "steps"})
    if job["runs-on"] != "ubuntu-latest":
        raise JobError(f"there is no runner {job['runs-on']!r}")
    with runner.workspace() as workspace:
        _GitHubJob(runner=runner, workspace=workspace).run(job["steps"])


@dataclass(slots=True, kw_only=True)
class _GitHubJob:
    """A job of GitHub Actions, as far as it has come."""

    runner: Runner
    workspace: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def run(self, steps: Sequence[Any]) -> None:
        for number, step in enumerate(steps, start=1):
            if "uses" in step:
                _known(step, f"step {number}", needed={"uses"}, may={"with", "id", "name"})
                self._use(step["uses"], self._evaluated(step.get("with", {})))
            else:
                _known(step, f"step {number}", needed={"run"}, may={"id", "name"})
                self._run(self._filled(step["run"]), step.get("id"))
        # A job that has failed does not come here, and saves nothing.
        while self.afterwards:
            self.afterwards.pop()()

    def _use(self, action: str, settings: Mapping[str, str]) -> None:
        _say(f"uses {action} {dict(settings) or ''}".rstrip())
        match action:
            case "actions/checkout@v4":
                _known(settings, action)
                self.runner.check_out(self.workspace)
            case "actions/setup-python@v5":
                _known(settings, action, needed={"python-version"})
                self._set_up_python()
            case "actions/cache@v4":
                _known(settings, action, needed={"path", "key"})
                self._cache(settings["key"], settings["path"].splitlines())
            case _:
                raise JobError(f"unknown action: {action}")

    def _set_up_python(self) -> None:
        folder = self.workspace.parent / "python"
        venv.create(folder, with_pip=True)
        self.path.insert(0, str(folder / "bin"))

    def _cache(self, key: str, paths: Sequence[str]) -> None:
        if self.runner.restore(key, self.workspace):
            _say(f"cache restored from key {key}")
            return  # what a key stands for is never saved anew
        _say(f"cache not found for key {key}")

        def save() -> None:
            self.runner.save(key, paths, self.workspace)
            _say(f"cache saved with key {key}")

        self.afterwards.append(save)

    def _run(self, script: str, step_id: str | None) -> None:
        room = self.workspace.parent
        file, output = room / "script.sh", room / "output"
        file.write_text(script, "utf-8")
        output.write_text("", "utf-8")
        variables = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output)}
        _shell(["bash", "-e", str(file)], script, self.runner, self.workspace, variables, self.path)
        told: dict[str, str] = {}
        for line in output.read_text("utf-8").splitlines():
            pair = _OUTPUT_LINE.match(line)
            if pair is None:
                raise JobError(f"unknown form of an output: {line}")
            told[pair[1]] = pair[2]
        if step_id is not None:
            self.outputs[step_id] = told

    def _evaluated(self, settings: Mapping[str, Any]) -> dict[str, str]:
        return {name: self._filled(str(value)) for name, value in settings.items()}

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1].strip()), text)

    def _value(self, expression: str) -> str:
        output = _STEP_OUTPUT.match(expression)
        if output is None:
            raise JobError(f"unknown expression: {expression}")
        try:
            return self.outputs[output[1]][output[2]]
        except KeyError:  # there it would be empty
            raise JobError(f"no step has said so far: {expression}") from None


def run_gitlab_job(runner: Runner, text: str) -> None:
    """Run the one job of a `.gitlab-ci.yml` as the shell executor does; it says it on stdout.

    Raises:
        JobError: the script failed, or the file asks for what is not known here.
    """
    ((name, job),) = YAML(typ="safe").load(text).items()
    _known(job, f"job {name}", needed={"script"}, may={"before_script", "tags", "cache"})
    cache = job.get("cache")
    with runner.workspace() as workspace:
        runner.check_out(workspace)
        if cache is not None:
            _known(cache, "cache", needed={"key", "paths"})
            found = runner.restore(cache["key"], workspace)
            _say(f"cache {'restored from' if found else 'not found for'} key {cache['key']}")
        # Both are one script, so that what the first sets holds in the second.
        lines = [*job.get("before_script", ()), *job["script"]]
        script = "".join(f"{line}\n" for line in lines)
        variables = {"CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": str(workspace)}
        _shell(["bash", "-eo", "pipefail", "-c", script], script, runner, workspace, variables, ())
        if cache is not None:
            runner.save(cache["key"], cache["paths"], workspace)
            _say(f"cache saved with key {cache['key']}")


def _shell(
    words: Sequence[str],
    script: str,
    runner: Runner,
    workspace: Path,
    variables: Mapping[str, str],
    path: Sequence[str],
) -> None:
    _say(f"run\n{script.rstrip()}")
    led = os.pathsep.join([*path, runner.variables["PATH"]])
    ran = subprocess.run(
        words,
        cwd=workspace,
        env={**runner.variables, **variables, "PATH": led},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if ran.returncode != 0:
        raise JobError(f"exit code {ran.returncode}")


def _known(
    mapping: Any, name: str, *, needed: frozenset[str] | set[str] = frozenset(), may: Any = ()
) -> Any:
    """Return a mapping that has what is needed, and nothing that is not known here."""
    if not isinstance(mapping, Mapping):
        raise JobError(f"{name} is no mapping")
    wrong = sorted(needed - {*mapping}) + sorted({*mapping} - needed - {*may})
    if wrong:
        raise JobError(f"{name}: missing or unknown: {', '.join(wrong)}")
    return mapping


def _say(text: str) -> None:
    sys.stdout.write(f"##[{text}]\n")
    sys.stdout.flush()


def main() -> None:
    """Run a job file's job; exit code 1 where it fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = {"github": run_github_job, "gitlab": run_gitlab_job}
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("file", type=Path)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--caches", type=Path, required=True)
    asked = parser.parse_args()
    # The machine has none of this project's programs.
    own = str(Path(sys.executable).parent)
    path = [each for each in os.environ["PATH"].split(os.pathsep) if each != own]
    variables = {**os.environ, "PATH": os.pathsep.join(path)}
    runner = Runner(project=asked.project, caches=asked.caches, variables=variables)
    try:
        kinds[asked.kind](runner, asked.file.read_text("utf-8"))
    except JobError as exc:
        sys.exit(f"the job failed: {exc}")


if __name__ == "__main__":
    main()
