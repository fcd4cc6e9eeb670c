"""Why the core refuses an input. A refused input has changed nothing."""

from cp_image.api.payloads import InputErrorCode


class InputError(Exception):
    """Base of all refusals; its text names the thing, the value and the rule."""

    code: InputErrorCode = InputErrorCode.NOT_NOW


class UnknownConnectorError(InputError):
    """There is no such connector."""

    code = InputErrorCode.UNKNOWN_CONNECTOR

    def __init__(self, charge_point_id: str, connector_id: int, nb_connectors: int) -> None:
        super().__init__(
            f"connector {connector_id} does not exist on {charge_point_id}: "
            f"it has connectors 1 to {nb_connectors}"
        )


class NotAllowedError(InputError):
    """A rule forbids the input, whatever the state."""

    code = InputErrorCode.NOT_ALLOWED


class NotNowError(InputError):
    """The state of the connector does not allow the input."""
