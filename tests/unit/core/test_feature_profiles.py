"""Errors: what belongs to a feature profile the charge point has not is not supported."""

import pytest

from cp_image.api.payloads import ConnectorState
from cp_image.core import csms_messages as m
from cp_image.core.feature_profiles import FeatureProfile
from tests.support.charging import CAP, TX, make_profile, online, setpoints
from tests.support.virtual_station import EPOCH, VirtualStation

P = FeatureProfile
REQUESTS: list[tuple[FeatureProfile, m.CsmsRequest]] = [
    (P.FIRMWARE_MANAGEMENT, m.GetDiagnostics(location="http://files/")),
    (P.FIRMWARE_MANAGEMENT, m.UpdateFirmware(location="http://files/2.0.bin", retrieve_at=EPOCH)),
    (
        P.RESERVATION,
        m.ReserveNow(reservation_id=1, connector_id=1, expires_at=EPOCH + 99, id_tag="T"),
    ),
    (P.RESERVATION, m.CancelReservation(reservation_id=1)),
    (
        P.SMART_CHARGING,
        m.SetChargingProfile(connector_id=0, charging_profile=make_profile(CAP, (0, 9.0))),
    ),
    (P.SMART_CHARGING, m.ClearChargingProfile()),
    (P.SMART_CHARGING, m.GetCompositeSchedule(connector_id=1, duration_s=60)),
    (P.REMOTE_TRIGGER, m.TriggerMessage(requested=m.MessageTrigger.HEARTBEAT)),
]


def only(*profiles: FeatureProfile) -> VirtualStation:
    return online(configuration={"SupportedFeatureProfiles": ",".join(profiles)})


@pytest.mark.parametrize(("profile", "request_"), REQUESTS)
def test_a_request_is_supported_with_its_profile_only(
    profile: FeatureProfile, request_: m.CsmsRequest
) -> None:
    assert only(P.CORE, profile).ask(request_) is not None
    others = [each for each in P if each is not profile]
    assert only(*others).ask(request_) is None  # NotSupported


def test_core_is_always_there() -> None:
    assert only().ask(m.GetConfiguration()) is not None
    assert only().ask(m.ClearCache()) is not None


def test_a_local_list_says_itself_that_it_is_not_supported() -> None:
    station = only(P.CORE)
    answer = station.ask(m.SendLocalList(version=1, full=True))
    assert answer == m.SendLocalListAnswer(status=m.UpdateStatus.NOT_SUPPORTED)
    assert station.ask(m.GetLocalListVersion()) == m.GetLocalListVersionAnswer(version=-1)


@pytest.mark.parametrize(
    "requested",
    [
        m.MessageTrigger.FIRMWARE_STATUS_NOTIFICATION,
        m.MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION,
    ],
)
def test_a_trigger_of_a_missing_profile_is_not_implemented(requested: m.MessageTrigger) -> None:
    request = m.TriggerMessage(requested=requested)
    answer = only(P.CORE, P.REMOTE_TRIGGER).ask(request)
    assert answer == m.TriggerMessageAnswer(status=m.TriggerMessageStatus.NOT_IMPLEMENTED)


def test_a_profile_that_comes_with_a_remote_start_is_ignored_without_smart_charging() -> None:
    station = only(P.CORE)
    station.plug()
    profile = make_profile(TX, (0, 9.0))
    station.ask(m.RemoteStartTransaction(id_tag="T", connector_id=1, charging_profile=profile))
    assert station.connector().status is ConnectorState.CHARGING
    assert setpoints(station) == (32.0, 32.0)
