"""Takes what happens around a charge point to whom it concerns."""

from cp_image.core import events
from cp_image.core.assembly import Parts
from cp_image.core.configuration_by_hand import configure
from cp_image.core.connector import Connector, found
from cp_image.core.errors import NotNowError, UnknownConnectorError
from cp_image.core.ground import Ground

Input = (
    events.CarChanged
    | events.TagPresented
    | events.FaultChanged
    | events.ConfigurationWanted
    | events.SecurityEventWanted
    | events.TransferEnded
    | events.KeyGenerated
    | events.InvalidMessageHeard
)


class Inputs:
    """What people do to connectors, and what has become of what the shell was asked to do."""

    def __init__(self, ground: Ground, parts: Parts) -> None:
        self._charge_point_id = ground.settings.charge_point_id
        self._connectors = ground.connectors
        self._configuration = ground.configuration
        self._parts = parts

    def take(self, event: Input, now: float) -> None:
        """Take an input.

        Raises:
            InputError: it is refused; nothing has changed.
        """
        match event:
            case events.CarChanged(connector_id=connector_id, car=car):
                self._parts.sessions.change_car(self._connector(connector_id), car, now)
            case events.TagPresented(connector_id=connector_id, id_tag=id_tag):
                self._present(self._connector(connector_id), id_tag, now)
            case events.FaultChanged(connector_id=0):
                self._parts.faults.change_all(event, now)
            case events.FaultChanged(connector_id=connector_id):
                self._parts.faults.change(self._connector(connector_id), event, now)
            case events.ConfigurationWanted():
                configure(self._configuration, event, now)
            case events.SecurityEventWanted():
                self._parts.security.let_happen(event, now)
            case events.TransferEnded():
                self._parts.firmware.transfer_ended(event, now)
                self._parts.security.transfer_ended(event, now)
            case events.KeyGenerated():
                self._parts.security.key_generated(event)
            case events.InvalidMessageHeard(complaint=complaint):
                self._parts.security.invalid_message(complaint, now)

    def _present(self, connector: Connector, id_tag: str, now: float) -> None:
        if self._parts.resets.under_way:
            raise NotNowError("the charge point is resetting: it takes no tag before that")
        self._parts.tags.present(connector, id_tag, now)

    def _connector(self, connector_id: int) -> Connector:
        connector = found(self._connectors, connector_id)
        if connector is None:
            raise UnknownConnectorError(self._charge_point_id, connector_id, len(self._connectors))
        return connector
