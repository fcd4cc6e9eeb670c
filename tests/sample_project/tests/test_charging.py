"""What customers do at the charge point, and what the CSMS makes of it."""

from sample_csms import Csms

from supervisor_cli import Simu


def test_a_customer_charges_and_is_billed(simu: Simu, csms: Csms) -> None:
    cp = simu.add(central_system=csms.url, clock_rate=60)
    connector = cp.connector(1)
    connector.plug(cable=32, draw=16)
    connector.tag("ALICE")
    connector.wait_for("Charging")
    assert connector.wait_for_transaction() == 1

    cp.frames.wait_for("MeterValues", transactionId=1)
    connector.tag("ALICE")
    connector.wait_for("Finishing")
    connector.unplug()
    connector.wait_for("Available")

    transaction = csms.books.wait_for_stopped(cp.id)
    assert transaction.id_tag == "ALICE"
    assert transaction.reason in {"Local", None}  # OCPP 1.6: Local may be left out
    assert transaction.meter_stop is not None
    assert transaction.meter_stop > transaction.meter_start


def test_a_stranger_is_turned_away(simu: Simu, csms: Csms) -> None:
    cp = simu.add(central_system=csms.url)
    cp.connector(1).plug()
    cp.connector(1).tag("MALLORY")
    answer = cp.frames.wait_for_answer("Authorize", idTag="MALLORY")
    assert answer.payload["idTagInfo"]["status"] == "Invalid"
    cp.frames.none("StartTransaction")
    assert cp.connector(1).status == "Preparing"
    assert csms.books.transactions == {}


def test_two_customers_charge_at_once(simu: Simu, csms: Csms) -> None:
    cp = simu.add(central_system=csms.url, nb_connectors=2, nb_phases=3)
    for connector_id, id_tag in ((1, "ALICE"), (2, "BOB")):
        cp.connector(connector_id).plug()
        cp.connector(connector_id).tag(id_tag)
        cp.connector(connector_id).wait_for("Charging")
    started = cp.frames.all("StartTransaction", direction="sent")
    assert [each.payload["idTag"] for each in started] == ["ALICE", "BOB"]
