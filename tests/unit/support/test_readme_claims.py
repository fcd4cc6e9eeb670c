"""Every block of the README is executed by a test as it stands, or compared with what comes out."""

import ast
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from cp_image.api.payloads import Frame, FrameDirection
from supervisor_cli import images
from tests.support.readme import README, Snippet, read, snippet
from tests.support.taken_snippets import taken

ROOT = README.parent
LANGUAGES = {"sh", "python", "yaml", "json", "text"}
CHANGES = (".replace(", "re.sub(", ".sub(", ".format(", ".removeprefix(", ".removesuffix(")
"""What makes another text of one; a test that has it may not execute what stands in the README."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who executes a block, or compares it with what really comes out.

    Attributes:
        heading: the one it stands below.
        having: a text by which it is known among the blocks there.
        test: the file and the function in it.
    """

    heading: str
    having: str
    test: str

    def fits(self, block: Snippet) -> bool:
        return block.heading == self.heading and self.having in block.text


def claim(heading: str, having: str, test: str) -> Claim:
    return Claim(heading=heading, having=having, test=f"tests/{test}")


STORIES = "integration/test_readme.py"
OUTPUT = "unit/support/test_readme_output.py"
JOBS = "integration/test_ci_examples.py"
PROXY = "Behind a proxy, without a registry"
CLAIMS = (
    claim("cp-simu", "make demo", f"{STORIES}::test_two_commands"),
    claim("cp-simu", "What happened", f"{STORIES}::test_two_commands"),
    claim("Every day", "simuctl up  ", f"{STORIES}::test_every_day"),
    claim("Every day", "$ simuctl ls", f"{STORIES}::test_two_commands"),
    claim("Every day", "SOAK-1", f"{STORIES}::test_an_hour_in_a_minute"),
    claim("Every day", "ci-42", f"{STORIES}::test_several_environments"),
    claim("From Python", "with Simu()", f"{STORIES}::test_from_python"),
    claim("The image alone", "docker run", f"{STORIES}::test_the_image_alone"),
    claim("Fleet files", "charge_points:", f"{STORIES}::test_fleet_files"),
    claim("Fleet files", "setup load", f"{STORIES}::test_fleet_files"),
    claim("Fleet files", "load_fleet", f"{STORIES}::test_fleet_files"),
    claim("Fleet files", "$ simuctl add", f"{OUTPUT}::test_the_faults_of_a_fleet_file"),
    claim("Docker Compose", "static-fleet.yaml --profile", f"{STORIES}::test_docker_compose"),
    claim("Docker Compose", "scaled-fleet.yaml --profile", f"{STORIES}::test_docker_compose"),
    claim("Docker Compose", "fleets.yaml --profile", f"{STORIES}::test_both_fleets_in_one_file"),
    claim("Docker Compose", "include:", f"{STORIES}::test_both_fleets_in_one_file"),
    claim("Continuous integration", "runs-on", f"{JOBS}::test_github_actions"),
    claim("Continuous integration", "before_script", f"{JOBS}::test_gitlab_ci"),
    claim("In pytest", "pip install", f"{STORIES}::test_in_pytest"),
    claim("In pytest", "def test_", f"{STORIES}::test_in_pytest"),
    claim("How it fits together", "launcher ──", f"{OUTPUT}::test_the_picture_of_the_parts"),
    claim("How it fits together", "DOCKER_HOST", f"{STORIES}::test_an_engine_on_another_machine"),
    claim("Security", "pki init", f"{STORIES}::test_security"),
    claim("Security", "sign-firmware", f"{STORIES}::test_security"),
    claim("Security", "security-event", f"{STORIES}::test_a_security_event"),
    claim("Security", "broker-pw", f"{STORIES}::test_a_broker_with_a_lock"),
    claim("MQTT", "Heartbeat", "unit/support/test_readme_claims.py::test_the_frame_is_one"),
    claim(PROXY, "docker build", f"{STORIES}::test_images_by_plain_docker"),
    claim(PROXY, "ca-bundle.pem", f"{STORIES}::test_images_by_plain_docker"),
)


def blocks() -> list[Snippet]:
    return list(read(README.read_text("utf-8")))


def test_every_block_is_claimed_once() -> None:
    wrong = [
        f"README.md:{block.line}: {block.language} below {block.heading!r}: {claimed}"
        for block in blocks()
        if len(claimed := [each.test for each in CLAIMS if each.fits(block)]) != 1
    ]
    assert wrong == []


def test_there_are_no_other_languages() -> None:
    assert {block.language for block in blocks()} <= LANGUAGES


@pytest.mark.parametrize("each", CLAIMS, ids=lambda it: f"{it.heading}: {it.having}")
def test_a_claim_is_true(each: Claim) -> None:
    (block,) = [block for block in blocks() if each.fits(block)]
    file, _, name = each.test.partition("::")
    assert block in taken((ROOT / file).read_text("utf-8"), name)
    source = _sources(ROOT / file)[name]
    assert [word for word in CHANGES if word in source] == []


def _sources(file: Path) -> dict[str, str]:
    """Return the text of each function of a module, and of those beside it that it calls."""
    text = file.read_text("utf-8")
    functions = {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return {
        name: own + "".join(other for called, other in functions.items() if f"{called}(" in own)
        for name, own in functions.items()
    }


def test_each_image_has_its_line() -> None:
    said = snippet(PROXY, "sh", "docker build").text.splitlines()
    named = {words[3]: words[-1] for words in map(str.split, said)}
    assert set(named) == {source.name for source in images.SOURCES}
    assert all((ROOT / folder).is_dir() for folder in named.values())


def test_the_frame_is_one() -> None:
    text = snippet("MQTT", "json").text
    frame = msgspec.json.decode(text, type=Frame)
    assert {*msgspec.json.decode(text)} <= {*Frame.__struct_fields__}
    assert frame.direction is FrameDirection.SENT
    assert frame.message[2] == frame.action
