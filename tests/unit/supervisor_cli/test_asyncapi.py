"""The AsyncAPI document says what the contract says, and is the one that is checked in."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import jsonschema
import msgspec
import pytest
from ruamel.yaml import YAML

from cp_image.api import topics
from cp_image.api.topics import Topic
from launcher import api
from supervisor_cli import asyncapi
from supervisor_cli.exchanges import EXCHANGES, Exchange
from tests.unit.supervisor_cli.conftest import Simuctl

CHECKED_IN: Final = Path(__file__).parents[3] / "compose" / "asyncapi.yaml"
DOCUMENT: Final = asyncapi.document(metadata.version("cp-simu"))
by_name = pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda it: it.name)


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [each for item in node for each in references(item)]
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in references(value)]
    return []


def test_every_topic_of_the_contract_is_described_once() -> None:
    said = [value for module in (topics, api) for value in vars(module).values()]
    published = {each.template for each in said if isinstance(each, Topic)}
    described = [each.topic.template for each in EXCHANGES]
    assert set(described) == published
    assert len(described) == len(published)
    assert len({each.name for each in EXCHANGES}) == len(EXCHANGES)


@by_name
def test_an_example_is_what_its_type_reads(exchange: Exchange) -> None:
    assert exchange.examples
    for example in exchange.examples:
        read = msgspec.json.decode(msgspec.json.encode(example), type=exchange.payload)
        assert msgspec.json.encode(read) == msgspec.json.encode(example)


@by_name
def test_an_example_obeys_its_schema(exchange: Exchange) -> None:
    message = DOCUMENT["components"]["messages"][exchange.name]
    validator = jsonschema.Draft7Validator(
        {"components": DOCUMENT["components"], "allOf": [message["payload"]]}
    )
    for example in message["examples"]:
        assert [each.message for each in validator.iter_errors(example["payload"])] == []


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("connectorCar", {"cable": -1}),
        ("connectorIdTag", {"id": "T" * 21}),
        ("launcherCommand", {"type": "explode"}),
        ("chargePointSpecification", {"id": "..", "type": "AC", "central_system": ""}),
    ],
)
def test_what_the_fleet_refuses_breaks_the_schema(name: str, payload: object) -> None:
    message = DOCUMENT["components"]["messages"][name]
    validator = jsonschema.Draft7Validator(
        {"components": DOCUMENT["components"], "allOf": [message["payload"]]}
    )
    assert not validator.is_valid(payload)


def test_every_reference_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert len(found) > 100
    for each in found:
        assert resolved(each)


def test_an_operation_says_how_it_is_published() -> None:
    status = DOCUMENT["operations"]["chargePointStatus"]
    assert status["action"] == "send"
    assert status["bindings"]["mqtt"] == {"qos": 1, "retain": True, "bindingVersion": "0.2.0"}
    command = DOCUMENT["operations"]["launcherCommand"]
    assert command["action"] == "receive"
    assert command["reply"]["channel"] == {"$ref": "#/channels/launcherResult"}
    channel = DOCUMENT["channels"]["connectorCar"]
    assert channel["address"] == "{root}/cps/{charge_point_id}/connectors/{connector_id}/car"
    assert list(channel["parameters"]) == ["root", "charge_point_id", "connector_id"]


def test_fields_are_described_as_in_the_code() -> None:
    connector = DOCUMENT["components"]["schemas"]["ConnectorStatus"]
    assert connector["description"] == (
        "`cps/ID/connectors/N/status`, retained. Setpoints: A for AC, W for DC."
    )
    assert connector["properties"]["metered_at"]["description"] == (
        "epoch seconds, by the computer's clock, at which both stood so; since then `power_w` has "
        "been flowing, for a change of it is published at once."
    )
    assert "Attributes:" not in json.dumps(DOCUMENT)


def test_patterns_are_those_of_json_schema() -> None:
    assert "\\\\A" not in json.dumps(DOCUMENT)
    assert "\\\\Z" not in json.dumps(DOCUMENT)


def test_the_document_that_is_checked_in_is_current() -> None:
    text = CHECKED_IN.read_text("utf-8")
    assert text == asyncapi.text(metadata.version("cp-simu")), "make asyncapi writes it"
    assert YAML(typ="safe").load(text) == json.loads(json.dumps(DOCUMENT))


def test_simuctl_prints_it(simuctl: Simuctl) -> None:
    assert simuctl("asyncapi").out == CHECKED_IN.read_text("utf-8")
    assert json.loads(simuctl("asyncapi", "--json").out) == json.loads(json.dumps(DOCUMENT))
