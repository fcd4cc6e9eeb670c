"""The JSON Schema says what the reader says."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from launcher.fleet_file.keys import OF_ENTRIES
from launcher.fleet_file.reading import Source, read
from launcher.fleet_file.schema import schema
from tests.support import readme

SAMPLES = sorted((Path(__file__).parents[4] / "compose" / "fleets").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(schema())
HEAD = "defaults: {type: AC, central_system: 'ws://h'}\n"


def by_schema(text: str) -> list[str]:
    document: Any = YAML(typ="safe", pure=True).load(text)
    return [each.message for each in VALIDATOR.iter_errors(document)]


def by_reader(text: str) -> list[str]:
    return [str(each) for each in read([Source(name="f.yaml", content=text.encode())]).faults]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_key_is_described() -> None:
    definition = schema()["$defs"]["charge_point"]
    assert definition["properties"].keys() == {*OF_ENTRIES, "configuration"}
    for name, each in definition["properties"].items():
        assert each.get("description") or "$ref" in each, name
    assert definition["properties"]["type"]["enum"] == ["AC", "DC"]
    assert definition["properties"]["nb_phases"]["maximum"] == 3
    assert "default" not in definition["properties"]["serial"]
    assert definition["properties"]["voltage"]["description"] == "phase to neutral for AC, V."


def test_there_are_samples() -> None:
    assert {each.stem for each in SAMPLES} >= {"small", "mixed", "secure", "soak"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_good(sample: Path) -> None:
    text = sample.read_text("utf-8")
    assert text.startswith("# ")
    assert by_schema(text) == []
    found = read([Source(name=sample.name, content=text.encode())])
    assert [str(each) for each in (*found.faults, *found.notes)] == []
    assert found.charge_points
    assert not [each for each in found.charge_points if each.missing]


@pytest.mark.parametrize(
    "entry",
    [
        "id: 'CP-{n:04}', count: 3",
        "id: '{n}-A-{n:02}', count: 3",
        "id: 7, serial: 42, password: 123",
        "id: CP-1, serial: '{id} and what is longer than 25'",
        "id: CP-1, clock_start: '2026-01-31T12:00:00Z'",
        "id: CP-1, configuration: {A: 1, B: true, C: [a, b], D: x}",
        "id: CP-1, security_profile: 1, password: x",
    ],
)
def test_what_both_take(entry: str) -> None:
    text = f"{HEAD}charge_points: [{{{entry}}}]"
    assert by_schema(text) == []
    faults = by_reader(text)
    assert [each for each in faults if "of length <= 25" not in each] == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "charge_points: {}",
        "charge_points: [x]",
        "charge_points: [{type: AC}]",
        "charge_point: []",
        *(
            f"{HEAD}charge_points: [{{id: CP-1, {entry}}}]"
            for entry in (
                "voltag: 1",
                "voltage: x",
                "voltage: 0",
                "nb_phases: 4",
                "nb_phases: 1.5",
                "nb_connectors: 101",
                "type: ac",
                "on_crash: never",
                "vendor: true",
                "vendor: ''",
                "vendor: 'a very long name of a vendor'",
                "vendor: null",
                "secrets: 'yes'",
                "security_profile: 4",
                "clock_rate: 0",
                "memory_mb: 8",
                "authorization_user: 'a:b'",
                "configuration: []",
                "configuration: {A: null}",
                "configuration: {A: {b: c}}",
                "count: -1",
                "first: 3",
                "template: [a]",
                "extends: a",
                "password: a, password_file: b",
                "clock_start: null",
            )
        ),
        f"{HEAD}charge_points: [{{id: 'a b'}}]",
        f"{HEAD}charge_points: [{{id: '..'}}]",
        f"{HEAD}charge_points: [{{id: '{{m}}', count: 1}}]",
        f"{HEAD}templates: {{a: {{id: x}}}}\ncharge_points: []",
        f"{HEAD}templates: {{a: {{voltage: x}}}}\ncharge_points: []",
        "defaults: {id: x}\ncharge_points: []",
        "defaults: {count: 2}\ncharge_points: []",
    ],
)
def test_what_both_refuse(text: str) -> None:
    assert by_schema(text)
    assert by_reader(text)


def test_the_fleet_file_of_the_readme_is_good() -> None:
    text = readme.snippet("Fleet files", "yaml").text
    assert text.startswith("# yaml-language-server: $schema=")
    assert by_schema(text) == []
    found = read([Source(name="README.md", content=text.encode())])
    assert [str(each) for each in found.faults] == []
    assert len(found.charge_points) == 12
