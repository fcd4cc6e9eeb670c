"""DataTransfer, OCPP 1.6 §4.3 and §5.6: what no specification defines, both ways."""

from collections.abc import Mapping
from typing import Any

from cp_image.api.payloads import DataTransferAnswered, DataTransferOutcome
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import PublishEvent
from cp_image.core.errors import NotNowError
from cp_image.core.events import DataTransferWanted
from cp_image.core.messages import DataTransfer, DataTransferAnswer, DataTransferStatus
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue


class DataTransfers:
    """Passes on what somebody wants to tell the CSMS, and tells what came of it.

    Args:
        charge_point_id: whose they are.
    """

    def __init__(self, *, charge_point_id: str, queue: RequestQueue, outbox: Outbox) -> None:
        self._charge_point_id = charge_point_id
        self._queue = queue
        self._outbox = outbox
        self._request_ids: dict[int, str | None] = {}

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what answers the CSMS."""
        return {DataTransfer: self._asked}

    def want(self, wanted: DataTransferWanted) -> None:
        """Send what is wanted.

        Raises:
            NotNowError: the CSMS is not there, or has not accepted the charge point.
        """
        if not self._queue.open:
            raise NotNowError(
                f"{self._charge_point_id} cannot send DataTransfer now: "
                "the CSMS is not connected or has not accepted it"
            )
        number = self._queue.push(wanted.request)
        self._request_ids[number] = wanted.request_id

    def answered(
        self, number: int, request: DataTransfer, answer: DataTransferAnswer, now: float
    ) -> None:
        """The CSMS has answered."""
        outcome = DataTransferOutcome(answer.status.value)
        self._tell(number, request, now, outcome=outcome, data=answer.data)

    def failed(self, number: int, request: DataTransfer, now: float) -> None:
        """The CSMS did not answer, or with an error, or the link is lost."""
        self._tell(number, request, now, outcome=DataTransferOutcome.FAILED, data=None)

    def _tell(
        self,
        number: int,
        request: DataTransfer,
        now: float,
        *,
        outcome: DataTransferOutcome,
        data: str | None,
    ) -> None:
        self._outbox.put(
            PublishEvent(
                event=DataTransferAnswered(
                    at=now,
                    vendor_id=request.vendor_id,
                    message_id=request.message_id,
                    status=outcome,
                    data=data,
                    request_id=self._request_ids.pop(number, None),
                )
            )
        )

    def _asked(self, _request: DataTransfer, _now: float) -> Reply:
        # OCPP 1.6 §5.6: no vendor's extension is built in.
        return Reply(answer=DataTransferAnswer(status=DataTransferStatus.UNKNOWN_VENDOR_ID))
