"""DataTransfer, both ways (OCPP 1.6 §4.3, §5.6)."""

import pytest

from cp_image.api.payloads import DataTransferAnswered, DataTransferOutcome
from cp_image.core.effects import SendAnswer
from cp_image.core.errors import NotNowError
from cp_image.core.events import CsmsAsked, DataTransferWanted
from cp_image.core.messages import DataTransfer, DataTransferAnswer, DataTransferStatus
from tests.support.scripted_csms import ScriptedCsms
from tests.support.virtual_station import EPOCH, VirtualStation

REQUEST = DataTransfer(vendor_id="com.example", message_id="hello", data="{}")
WANTED = DataTransferWanted(request=REQUEST, request_id="r1")


def connected(csms: ScriptedCsms | None = None) -> VirtualStation:
    station = VirtualStation(csms=csms)
    station.connect()
    return station


def outcomes(station: VirtualStation) -> list[DataTransferAnswered]:
    return [event for event in station.events() if isinstance(event, DataTransferAnswered)]


def test_the_answer_of_the_csms_is_published() -> None:
    station = connected()
    station.handle(WANTED)
    assert station.heard(DataTransfer) == [REQUEST]
    assert outcomes(station) == [
        DataTransferAnswered(
            at=EPOCH,
            vendor_id="com.example",
            message_id="hello",
            status=DataTransferOutcome.ACCEPTED,
            data=None,
            request_id="r1",
        )
    ]


@pytest.mark.parametrize("status", list(DataTransferStatus))
def test_every_status_and_the_answers_own_data(status: DataTransferStatus) -> None:
    class Csms(ScriptedCsms):
        def _answer(self, request, now):  # type: ignore[no-untyped-def]
            if isinstance(request, DataTransfer):
                return DataTransferAnswer(status=status, data="thanks")
            return super()._answer(request, now)

    station = connected(Csms())
    station.handle(DataTransferWanted(request=DataTransfer(vendor_id="V")))
    (outcome,) = outcomes(station)
    assert (outcome.status.value, outcome.data) == (status.value, "thanks")
    assert (outcome.message_id, outcome.request_id) == (None, None)


def test_a_call_error_is_a_failure() -> None:
    station = connected()
    station.csms.refusals[DataTransfer] = 1
    station.handle(WANTED)
    assert [(o.status, o.request_id) for o in outcomes(station)] == [
        (DataTransferOutcome.FAILED, "r1")
    ]


def test_silence_is_a_failure_and_does_not_block() -> None:
    station = connected()
    station.csms.silent.add(DataTransfer)
    station.handle(WANTED)
    assert outcomes(station) == []
    station.run(60)
    assert [o.status for o in outcomes(station)] == [DataTransferOutcome.FAILED]
    station.csms.silent.clear()
    station.handle(WANTED)
    assert outcomes(station)[-1].status is DataTransferOutcome.ACCEPTED


def test_a_lost_link_is_a_failure() -> None:
    station = connected()
    station.csms.silent.add(DataTransfer)
    station.handle(WANTED)
    station.handle(DataTransferWanted(request=REQUEST, request_id="r2"))
    station.disconnect()
    assert [(o.status, o.request_id) for o in outcomes(station)] == [
        (DataTransferOutcome.FAILED, "r1"),
        (DataTransferOutcome.FAILED, "r2"),
    ]


def test_without_a_csms_it_is_refused() -> None:
    station = VirtualStation()
    with pytest.raises(NotNowError, match="CP-0001 cannot send DataTransfer now"):
        station.handle(WANTED)
    station.connect()
    assert station.heard(DataTransfer) == []


def test_the_csms_knows_no_vendor_here() -> None:
    station = connected()
    effects = station.handle(CsmsAsked(message_id="c1", request=REQUEST))
    assert effects == [
        SendAnswer(
            message_id="c1",
            answer=DataTransferAnswer(status=DataTransferStatus.UNKNOWN_VENDOR_ID),
        )
    ]
