"""What the central system in the box remembers of the charge points: tags, boots, transactions."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from cp_image.api.payloads import StopReason
from supervisor_cli.ocpp_frames import Call, CallErrorCode, FrameError


class RegistrationStatus(StrEnum):
    """OCPP 1.6 §7.31."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class AuthorizationStatus(StrEnum):
    """OCPP 1.6 §7.2."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What is answered about an id tag.

    Attributes:
        parent_id_tag: None where it has none.
        expires_utc: None where it does not expire.
    """

    status: AuthorizationStatus = AuthorizationStatus.ACCEPTED
    parent_id_tag: str | None = None
    expires_utc: datetime | None = None

    def id_tag_info(self) -> dict[str, Any]:
        """Return OCPP's idTagInfo."""
        answer: dict[str, Any] = {"status": self.status.value}
        if self.parent_id_tag is not None:
            answer["parentIdTag"] = self.parent_id_tag
        if self.expires_utc is not None:
            answer["expiryDate"] = utc_text(self.expires_utc)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class BootAnswer:
    """What is answered to a BootNotification."""

    status: RegistrationStatus
    interval_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction as the central system knows it.

    Attributes:
        id_tag: with which it was started.
        started: timestamp of StartTransaction, as it was sent; likewise `stopped`.
        meter_stop_wh: None while it runs; likewise `stopped` and `reason`.
        stop_id_tag: None where StopTransaction carried none.
    """

    transaction_id: int
    charge_point_id: str
    connector_id: int
    id_tag: str
    meter_start_wh: int
    started: str
    meter_stop_wh: int | None = None
    stopped: str | None = None
    reason: StopReason | None = None
    stop_id_tag: str | None = None

    @property
    def running(self) -> bool:
        """Whether no StopTransaction has come."""
        return self.meter_stop_wh is None

    @property
    def energy_wh(self) -> int | None:
        """What was charged; None while it runs."""
        return None if self.meter_stop_wh is None else self.meter_stop_wh - self.meter_start_wh


class CsmsRecords:
    """Answers the calls of charge points, whose payloads are valid, and remembers them."""

    def __init__(self, heartbeat_interval_s: int) -> None:
        self._heartbeat_interval_s: Final = heartbeat_interval_s
        self.tags: dict[str, Tag] = {}
        self.transactions: dict[int, Transaction] = {}
        self.registrations: dict[str, RegistrationStatus] = {}
        self.connector_statuses: dict[tuple[str, int], str] = {}
        self._boot_answers: defaultdict[str, deque[BootAnswer]] = defaultdict(deque)
        self._next_transaction_id = 1
        self._started: dict[tuple[object, ...], int] = {}
        self._triggered: set[tuple[str, str]] = set()
        self._serials: dict[str, str] = {}
        self._answers: Final[dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]]] = {
            "Authorize": self._authorize,
            "BootNotification": self._boot,
            "DataTransfer": lambda _id, _payload: {"status": "UnknownVendorId"},
            "Heartbeat": lambda _id, _payload: {"currentTime": utc_text(datetime.now(UTC))},
            "StartTransaction": self._start,
            "StatusNotification": self._status,
            "StopTransaction": self._stop,
        }

    def answer(self, charge_point_id: str, call: Call) -> dict[str, Any]:
        """Return the payload of the answer to a valid call."""
        answer = self._answers.get(call.action)
        return {} if answer is None else answer(charge_point_id, call.payload)

    def note_asked(self, charge_point_id: str, action: str, payload: dict[str, Any]) -> None:
        """Note what a charge point is asked for: what is triggered it may send while Pending."""
        if action in {"TriggerMessage", "ExtendedTriggerMessage"}:
            self._triggered.add((charge_point_id, str(payload.get("requestedMessage"))))

    def names_of(self, charge_point_id: str) -> list[str]:
        """Return what a charge point's certificate may be made out to: its id, its serial number.

        Security Whitepaper §2: the common name is the serial number.
        """
        serial = self._serials.get(charge_point_id)
        return [charge_point_id, serial] if serial else [charge_point_id]

    def check_registered(self, charge_point_id: str, call: Call) -> None:
        """Check that a charge point may send this now.

        Raises:
            FrameError: it was not accepted yet (OCPP 1.6 §4.2).
        """
        registration = self.registrations.get(charge_point_id)
        triggered = (
            registration is RegistrationStatus.PENDING
            and (charge_point_id, call.action) in self._triggered
        )
        if call.action == "BootNotification" or triggered:
            return
        if registration not in {None, RegistrationStatus.ACCEPTED}:
            raise FrameError(
                f"{call.action} while the registration is {registration}",
                code=CallErrorCode.SECURITY_ERROR,
                unique_id=call.unique_id,
            )

    def script_boot(self, charge_point_id: str, answer: BootAnswer) -> None:
        """Answer so to the next BootNotification that has no answer scripted yet."""
        self._boot_answers[charge_point_id].append(answer)

    def _boot(self, charge_point_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        self._serials[charge_point_id] = payload.get("chargePointSerialNumber", "")
        scripted = self._boot_answers[charge_point_id]
        answer = (
            scripted.popleft()
            if scripted
            else BootAnswer(
                status=RegistrationStatus.ACCEPTED, interval_s=self._heartbeat_interval_s
            )
        )
        self.registrations[charge_point_id] = answer.status
        return {
            "status": answer.status.value,
            "currentTime": utc_text(datetime.now(UTC)),
            "interval": answer.interval_s,
        }

    def _authorize(self, _charge_point_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        return {"idTagInfo": self._tag(payload["idTag"]).id_tag_info()}

    def _status(self, charge_point_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.connector_statuses[charge_point_id, payload["connectorId"]] = payload["status"]
        return {}

    def _start(self, charge_point_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        # A charge point that has not seen the answer asks again (OCPP 1.6 §3.7.1).
        asked = (
            charge_point_id,
            payload["connectorId"],
            payload["idTag"],
            payload["meterStart"],
            payload["timestamp"],
        )
        known_id = self._started.setdefault(asked, self._next_transaction_id)
        if known_id in self.transactions:
            return {
                "transactionId": known_id,
                "idTagInfo": self._tag(payload["idTag"]).id_tag_info(),
            }
        transaction = Transaction(
            transaction_id=self._next_transaction_id,
            charge_point_id=charge_point_id,
            connector_id=payload["connectorId"],
            id_tag=payload["idTag"],
            meter_start_wh=payload["meterStart"],
            started=payload["timestamp"],
        )
        self._next_transaction_id += 1
        self.transactions[transaction.transaction_id] = transaction
        return {
            "transactionId": transaction.transaction_id,
            "idTagInfo": self._tag(transaction.id_tag).id_tag_info(),
        }

    def _stop(self, charge_point_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        # OCPP 1.6 §6.49: the reason may be left out when it is Local. An unknown transaction is
        # answered all the same (§4.10: the central system cannot prevent the stop).
        known = self.transactions.get(payload["transactionId"])
        if known is not None and known.charge_point_id == charge_point_id and known.running:
            self.transactions[known.transaction_id] = replace(
                known,
                meter_stop_wh=payload["meterStop"],
                stopped=payload["timestamp"],
                reason=StopReason(payload.get("reason", StopReason.LOCAL)),
                stop_id_tag=payload.get("idTag"),
            )
        id_tag = payload.get("idTag")
        return {} if id_tag is None else {"idTagInfo": self._tag(id_tag).id_tag_info()}

    def _tag(self, id_tag: str) -> Tag:
        # OCPP 1.6 §7.29: an IdToken is a CiString: its case does not matter.
        return self.tags.get(id_tag.casefold(), Tag())


def utc_text(at: datetime) -> str:
    """Return a time as OCPP 1.6 writes it, in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
