"""What `simuctl demo` tells programs."""

from cp_image.api.payloads import StopReason, TransactionStopped
from supervisor_cli import demo


def test_a_row_for_each_session() -> None:
    session = demo.SESSIONS[0]
    stopped = TransactionStopped(
        at=1.0,
        connector_id=1,
        transaction_id=None,
        id_tag="ALICE",
        meter_start_wh=10,
        meter_stop_wh=35,
        reason=StopReason.LOCAL,
    )
    assert demo.rows([(session, stopped)]) == [
        {
            "id": "DEMO-AC1",
            "connector_id": 1,
            "id_tag": "ALICE",
            "transaction_id": None,
            "energy_wh": 25,
            "reason": "Local",
        }
    ]
