"""In words what an action hits. Pure."""

from collections.abc import Sequence

from supervisor_cli.dashboard.roster import Place


def what(places: Sequence[Place]) -> str:
    """Return the one connector by its name, several by their number."""
    if len(places) == 1:
        return f"{places[0].charge_point_id} connector {places[0].connector_id}"
    return f"{len(places)} connectors"


def whom(charge_point_ids: Sequence[str]) -> str:
    """Return the one charge point by its name, several by their number."""
    if len(charge_point_ids) == 1:
        return charge_point_ids[0]
    return f"{len(charge_point_ids)} charge points"
