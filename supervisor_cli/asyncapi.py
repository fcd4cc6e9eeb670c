"""The MQTT interface as an AsyncAPI 3.0 document, made from the contract's own types. Pure."""

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from ruamel.yaml import YAML

from cp_image.api.topics import DEFAULT_ROOT
from supervisor_cli.exchanges import EXCHANGES, Exchange, Way

Document = dict[str, Any]

_HEADLINE: Final = (
    "# The MQTT interface in the words of AsyncAPI; `make asyncapi` writes this file.\n"
)
_QOS_BINDING: Final = "0.2.0"
_REFERENCE: Final = "#/components/schemas/{name}"
_ATTRIBUTES: Final = re.compile(r"\n\s*Attributes:\n", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"\A {4}(?P<name>\w+): (?P<text>.*)\Z")
_PARAMETERS: Final[Mapping[str, Document]] = {
    "root": {
        "description": "The environment's name with _ for -.",
        "default": DEFAULT_ROOT,
    },
    "charge_point_id": {"description": "The id of a charge point, as OCPP knows it."},
    "connector_id": {"description": "The number of a connector, from 1."},
}


def document(version: str) -> Document:
    """Return the document.

    Args:
        version: of the program whose interface it is.
    """
    payloads, schemas = _schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "cp-simu",
            "version": version,
            "description": (
                "A fleet of simulated EV charge points, each a container: what any MQTT client can "
                "say and hear. Unknown fields are ignored by all readers. JSON is UTF-8."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "127.0.0.1:1883",
                "protocol": "mqtt",
                "description": "MQTT 3.1.1 and 5. `simuctl up` starts it, and says where.",
            }
        },
        "channels": {each.name: _channel(each) for each in EXCHANGES},
        "operations": {each.name: _operation(each) for each in EXCHANGES},
        "components": {
            "messages": {
                each.name: _message(each, payload)
                for each, payload in zip(EXCHANGES, payloads, strict=True)
            },
            "schemas": schemas,
            "correlationIds": {
                "request_id": {
                    "description": "What the asker chose; the answer has it, too.",
                    "location": "$message.payload#/request_id",
                }
            },
        },
    }


def text(version: str) -> str:
    """Return the document as YAML."""
    yaml = YAML()
    yaml.width = 100
    written = io.StringIO()
    # Through JSON there are no anchors for what occurs twice.
    yaml.dump(_plain(document(version)), written)
    return f"{_HEADLINE}{written.getvalue()}"


def _channel(exchange: Exchange) -> Document:
    address = "{root}/" + exchange.topic.template
    address = address.replace("{id}", "{charge_point_id}").replace("{n}", "{connector_id}")
    return {
        "address": address,
        "title": exchange.name,
        "description": exchange.summary,
        "messages": {exchange.name: {"$ref": f"#/components/messages/{exchange.name}"}},
        "parameters": {
            name: parameter for name, parameter in _PARAMETERS.items() if f"{{{name}}}" in address
        },
    }


def _operation(exchange: Exchange) -> Document:
    operation: Document = {
        "action": "send" if exchange.way is Way.FROM_FLEET else "receive",
        "channel": {"$ref": f"#/channels/{exchange.name}"},
        "summary": exchange.summary,
        "messages": [{"$ref": f"#/channels/{exchange.name}/messages/{exchange.name}"}],
        "bindings": {
            "mqtt": {
                "qos": exchange.topic.qos,
                "retain": exchange.topic.retain,
                "bindingVersion": _QOS_BINDING,
            }
        },
    }
    if exchange.answered_by:
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{exchange.answered_by}"},
            "messages": [
                {"$ref": f"#/channels/{exchange.answered_by}/messages/{exchange.answered_by}"}
            ],
        }
    return operation


def _message(exchange: Exchange, payload: Document) -> Document:
    message: Document = {
        "name": exchange.name,
        "summary": exchange.summary,
        "contentType": "text/plain" if exchange.is_word else "application/json",
        "payload": payload,
        "examples": [{"payload": _plain(each)} for each in exchange.examples],
    }
    if exchange.correlates:
        message["correlationId"] = {"$ref": "#/components/correlationIds/request_id"}
    return message


def _plain(payload: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(payload))


# -- schemas --------------------------------------------------------------------------------------


def _schemas() -> tuple[list[Document], Document]:
    """Return the schema of each exchange's payload, and those they refer to, by name.

    All at once: where two modules use the same word, the names depend on what else there is.
    """
    payloads, components = msgspec.json.schema_components(
        [each.payload for each in EXCHANGES], ref_template=_REFERENCE
    )
    schemas = {name: _tidied(schema) for name, schema in sorted(components.items())}
    # Entries are decoded one by one, so the type of the command does not say what they are.
    schemas["Entry"] = {
        **schemas["Specification"],
        "title": "Entry",
        "description": "A charge point in a command. `start` needs `type` and `central_system` "
        "here or in the `defaults`; what else is left out is usual for the type. The others need "
        "the id alone.",
        "required": ["id"],
    }
    command = next(it for name, it in schemas.items() if name.split(".")[-1] == "Command")
    command["properties"]["charge_points"]["items"] = {"$ref": _REFERENCE.format(name="Entry")}
    return [_tidied(each) for each in payloads], schemas


def _tidied(schema: Any) -> Any:
    """Return a schema in the words of AsyncAPI, with the texts where they belong."""
    if isinstance(schema, list):
        return [_tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {name: _tidied(value) for name, value in schema.items()}
    if isinstance(tidy.get("discriminator"), dict):
        # AsyncAPI names the field alone; which value is which, the types say by `enum`.
        tidy["discriminator"] = tidy["discriminator"]["propertyName"]
    if isinstance(tidy.get("pattern"), str):
        tidy["pattern"] = tidy["pattern"].replace(r"\A", "^").replace(r"\Z", "$")  # ECMA 262
    if isinstance(tidy.get("description"), str):
        tidy["description"], texts = _described(tidy["description"])
        for name, text in texts:
            if name in tidy.get("properties", {}):
                tidy["properties"][name] = _with_text(tidy["properties"][name], text)
    return tidy


def _with_text(schema: Document, text: str) -> Document:
    if "$ref" in schema:  # nothing beside a reference counts
        return {"allOf": [schema], "description": text}
    return {**schema, "description": text}


def _described(docstring: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text of a Google-style docstring, and those of its attributes."""
    head, *rest = _ATTRIBUTES.split(docstring, maxsplit=1)
    text = re.sub(r"[ \t]*\n[ \t]*", " ", head.strip())
    return text.replace("``", "`"), list(_attributes("".join(rest)))


def _attributes(block: str) -> Iterator[tuple[str, str]]:
    name, text = "", ""
    for line in block.splitlines():
        begin = _ATTRIBUTE.match(line.removeprefix("    "))
        if begin is not None:
            if name:
                yield name, text
            name, text = begin["name"], begin["text"]
        else:
            text = f"{text} {line.strip()}".strip()
    if name:
        yield name, text
