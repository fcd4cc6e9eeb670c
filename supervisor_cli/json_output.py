"""The view as builtin types, for `--json`: the fields of the MQTT payloads, and what is derived."""

from typing import Any

import msgspec

from supervisor_cli.fleet_view import ChargePointView, ConnectorView


def charge_point(view: ChargePointView) -> dict[str, Any]:
    """Return a charge point: `id`, `alive`, the fields of its status, and `connectors`.

    `status` is None where it was never heard; `container_status` is the launcher's word on its
    container.
    """
    reported = msgspec.to_builtins(view.status) if view.status is not None else {"status": None}
    container = msgspec.to_builtins(view.container) if view.container is not None else None
    death = msgspec.to_builtins(view.death) if view.death is not None else None
    return {
        "id": view.charge_point_id,
        "alive": view.alive,
        **reported,
        "died": death,
        "container_status": container,
        "connectors": [connector(each) for each in view.connectors],
    }


def connector(view: ConnectorView) -> dict[str, Any]:
    """Return a connector: `connector_id`, `live`, and the fields of its status.

    Of one that is not live, `status` is None, `last_status` the last one that was heard, and
    nothing is drawn.
    """
    fields: dict[str, Any] = msgspec.to_builtins(view.reported)
    last = fields.pop("status")
    if not view.live:
        fields |= dict.fromkeys(("consumption_l1", "consumption_l2", "consumption_l3"), 0.0)
    return {
        "connector_id": view.connector_id,
        "live": view.live,
        "status": last if view.live else None,
        "last_status": last,
        **fields,
        "power_w": view.power_w,
    }
