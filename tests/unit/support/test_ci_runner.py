"""What is done with a job file, and what of it is refused."""

import os
from pathlib import Path

import pytest

from tests.support.ci_runner import JobError, Runner, run_github_job, run_gitlab_job

WORKFLOW = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
"""
CACHED = """\
      - uses: actions/checkout@v4
      - id: images
        run: echo "key=$(cat which)" >> "$GITHUB_OUTPUT"
      - uses: actions/cache@v4
        with:
          path: kept.tar
          key: images-${{ steps.images.outputs.key }}
      - run: |
          if [ -f kept.tar ]; then
            echo "found $(cat kept.tar)"
          else
            echo one > kept.tar
          fi
"""
GITLAB = """\
job:
  tags: [docker]
  cache:
    key: images
    paths: [kept.tar]
  before_script:
    - word=one
    - if [ -f kept.tar ]; then cat kept.tar; word=two; fi
  script:
    - test -f which
    - echo $word > kept.tar
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    project = tmp_path / "project"
    project.mkdir()
    (project / "which").write_text("k1\n")
    return Runner(project=project, caches=tmp_path / "caches", variables={**os.environ})


def steps(*lines: str) -> str:
    return WORKFLOW + "".join(f"      - {line}\n" for line in lines)


def test_what_a_job_caches_the_next_one_finds(
    runner: Runner, capfd: pytest.CaptureFixture[str]
) -> None:
    run_github_job(runner, WORKFLOW + CACHED)
    assert "cache not found for key images-k1" in (first := capfd.readouterr().out)
    assert "cache saved with key images-k1" in first
    run_github_job(runner, WORKFLOW + CACHED)
    assert "cache restored from key images-k1" in (second := capfd.readouterr().out)
    assert "found one" in second
    assert "saved" not in second
    (runner.project / "which").write_text("k2\n")
    run_github_job(runner, WORKFLOW + CACHED)
    assert "cache not found for key images-k2" in capfd.readouterr().out
    assert {each.name for each in runner.project.iterdir()} == {"which"}


def test_a_job_that_fails_saves_nothing(runner: Runner) -> None:
    with pytest.raises(JobError, match="exit code 1"):
        run_github_job(runner, f"{WORKFLOW}{CACHED}      - run: 'false'\n")
    with pytest.raises(JobError, match="exit code 1"):
        run_gitlab_job(runner, f"{GITLAB}    - 'false'\n")
    assert not runner.caches.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (steps("uses: actions/setup-node@v4"), "unknown action: actions/setup-node@v4"),
        (steps("uses: actions/checkout@v3"), "unknown action"),
        (steps("uses: actions/checkout@v4\n        with: {ref: main}"), "unknown: ref"),
        (steps("run: 'true'\n        shell: sh"), "step 1: missing or unknown: shell"),
        (steps("run: echo ${{ github.sha }}"), "unknown expression: github.sha"),
        (steps("run: echo ${{ steps.a.outputs.b }}"), "no step has said so far"),
        (steps('run: echo "a<<END" >> "$GITHUB_OUTPUT"'), "unknown form of an output"),
        (steps("run: false | true; false"), "exit code 1"),
        (steps("run: 'true'").replace("ubuntu-latest", "windows-latest"), "windows-latest"),
        (f"env: {{A: b}}\n{steps('run: true')}", "workflow: missing or unknown: env"),
    ],
)
def test_what_github_would_not_pass_over_fails(runner: Runner, text: str, said: str) -> None:
    with pytest.raises(JobError, match=said.replace("$", "[$]")):
        run_github_job(runner, text)


def test_each_step_is_a_script_of_its_own(
    runner: Runner, capfd: pytest.CaptureFixture[str]
) -> None:
    # `bash -e` alone: no pipefail, and no variable of the step before.
    run_github_job(runner, steps("run: word=one; false | true", 'run: echo "word is <$word>"'))
    assert "word is <>" in capfd.readouterr().out.splitlines()


def test_gitlab_keeps_what_there_is_last(runner: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    run_gitlab_job(runner, GITLAB)
    assert (runner.caches / "images" / "kept.tar").read_text() == "one\n"
    assert "cache not found for key images" in capfd.readouterr().out
    run_gitlab_job(runner, GITLAB)
    assert "one" in capfd.readouterr().out.splitlines()
    assert (runner.caches / "images" / "kept.tar").read_text() == "two\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("    - false | true", "exit code 1"),
        ("  image: python", "unknown: image"),
        ("    - rm kept.tar", "no file to be cached: kept.tar"),
    ],
)
def test_what_gitlab_would_not_pass_over_fails(runner: Runner, line: str, said: str) -> None:
    with pytest.raises(JobError, match=said):
        run_gitlab_job(runner, f"{GITLAB}{line}\n")
