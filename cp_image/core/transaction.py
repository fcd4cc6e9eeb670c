"""A transaction, and what leads to it: a tag that is checked, then an authorization."""

from cp_image.api.value import Value


class Check(Value):
    """A tag the CSMS is being asked about.

    Attributes:
        number: of the Authorize in the request queue.
    """

    number: int
    id_tag: str


class Authorization(Value):
    """A tag the CSMS accepted, waiting for a cable.

    Attributes:
        parent_id_tag: None where the CSMS gave none.
        accepted_at: epoch seconds.
        expires_at: epoch seconds at which it is withdrawn; None never.
    """

    id_tag: str
    parent_id_tag: str | None
    accepted_at: float
    expires_at: float | None


class Transaction(Value):
    """A running transaction, as it is kept through a power cut.

    Attributes:
        local_id: number of its StartTransaction in the request queue; tells it apart for good.
        transaction_id: as the CSMS gave it; None until it is known.
        parent_id_tag: None where the CSMS gave none.
        started_at: station time, epoch seconds.
        register_start_wh: the register at the start, with its fraction.
        meter_start_wh: the same as StartTransaction says it.
        authorized: False once the CSMS has refused the tag.
        free_until_wh: register up to which energy may flow all the same; None where it may not.
    """

    local_id: int
    connector_id: int
    id_tag: str
    parent_id_tag: str | None
    transaction_id: int | None
    started_at: float
    register_start_wh: float
    meter_start_wh: int
    authorized: bool = True
    free_until_wh: float | None = None
