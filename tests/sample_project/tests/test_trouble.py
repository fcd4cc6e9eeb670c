"""Power and network fail; no transaction is lost, and none is counted twice."""

from sample_csms import Csms

from supervisor_cli import Simu


def test_a_power_cut_ends_the_session(simu: Simu, csms: Csms) -> None:
    cp = simu.add(central_system=csms.url)
    cp.connector(1).plug()
    cp.connector(1).tag("ALICE")
    cp.connector(1).wait_for_transaction()
    cp.kill()
    assert cp.status == "Dead"
    cp.restart()
    cp.frames.wait_for("StopTransaction", reason="PowerLoss", transactionId=1)
    assert csms.books.wait_for_stopped(cp.id).reason == "PowerLoss"
    assert len(csms.books.transactions) == 1


def test_what_happened_offline_is_told_later(simu: Simu, csms: Csms) -> None:
    cp = simu.add(
        central_system=csms.url,
        configuration={"AllowOfflineTxForUnknownId": "true", "WebSocketPingInterval": "5"},
    )
    csms.go_away()
    cp.wait_for("Disconnected")
    connector = cp.connector(1)
    connector.plug()
    connector.tag("BOB")
    connector.wait_for("Charging")
    connector.tag("BOB")
    connector.wait_for("Finishing")
    assert csms.books.transactions == {}

    csms.come_back()
    cp.wait_for("Accepted")
    start = cp.frames.wait_for("StartTransaction", idTag="BOB")
    stop = cp.frames.wait_for("StopTransaction", idTag="BOB", after=start)
    assert cp.frames.answer(stop).kind.name == "RESULT"
    assert csms.books.wait_for_stopped(cp.id).id_tag == "BOB"
    assert len(csms.books.transactions) == 1


def test_a_charge_point_that_is_cut_off_charges_on(simu: Simu, csms: Csms) -> None:
    cp = simu.add(central_system=csms.url)
    cp.connector(1).plug()
    cp.connector(1).tag("ALICE")
    transaction_id = cp.connector(1).wait_for_transaction()
    cp.cut()
    cp.mend()
    cp.wait_for("Accepted")
    assert cp.connector(1).wait_for("Charging").transaction_id == transaction_id
    cp.frames.none("StopTransaction")
