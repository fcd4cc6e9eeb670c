"""Charging profiles in few words, and stations that obey them."""

from cp_image.api.payloads import ConnectorState
from cp_image.core.csms_messages import (
    ChargingProfile,
    ChargingProfileKind,
    ChargingProfilePurpose,
    ChargingProfileStatus,
    ChargingRateUnit,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClearChargingProfile,
    ClearChargingProfileAnswer,
    ClearChargingProfileStatus,
    GetCompositeSchedule,
    GetCompositeScheduleAnswer,
    RecurrencyKind,
    SetChargingProfile,
    SetChargingProfileAnswer,
)
from tests.support.virtual_station import VirtualStation, make_settings

CAP = ChargingProfilePurpose.CHARGE_POINT_MAX_PROFILE
DEFAULT = ChargingProfilePurpose.TX_DEFAULT_PROFILE
TX = ChargingProfilePurpose.TX_PROFILE
ABSOLUTE = ChargingProfileKind.ABSOLUTE
RECURRING = ChargingProfileKind.RECURRING
RELATIVE = ChargingProfileKind.RELATIVE


def make_profile(
    purpose: ChargingProfilePurpose,
    *periods: tuple[int, float],
    profile_id: int = 1,
    level: int = 0,
    kind: ChargingProfileKind = ABSOLUTE,
    unit: ChargingRateUnit = ChargingRateUnit.A,
    start_at: float | None = None,
    duration_s: int | None = None,
    phases: int | None = None,
    min_rate: float | None = None,
    transaction_id: int | None = None,
    recurrency: RecurrencyKind | None = None,
    valid_from: float | None = None,
    valid_to: float | None = None,
) -> ChargingProfile:
    """Return a profile; each period is (seconds after the start, limit)."""
    return ChargingProfile(
        charging_profile_id=profile_id,
        stack_level=level,
        purpose=purpose,
        kind=kind,
        schedule=ChargingSchedule(
            unit=unit,
            periods=tuple(
                ChargingSchedulePeriod(start_s=start_s, limit=limit, number_phases=phases)
                for start_s, limit in periods
            ),
            duration_s=duration_s,
            start_at=start_at,
            min_charging_rate=min_rate,
        ),
        transaction_id=transaction_id,
        recurrency_kind=recurrency,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def set_profile(
    station: VirtualStation, profile: ChargingProfile, connector_id: int = 0
) -> ChargingProfileStatus:
    """Let the CSMS set a profile."""
    answer = station.ask(SetChargingProfile(connector_id=connector_id, charging_profile=profile))
    assert isinstance(answer, SetChargingProfileAnswer)
    return answer.status


def install(station: VirtualStation, profile: ChargingProfile, connector_id: int = 0) -> None:
    """Let the CSMS set a profile that must be accepted."""
    status = set_profile(station, profile, connector_id)
    assert status is ChargingProfileStatus.ACCEPTED, station.logs()[-1]


def ask_composite(
    station: VirtualStation,
    connector_id: int = 1,
    duration_s: int = 3600,
    unit: ChargingRateUnit | None = None,
) -> GetCompositeScheduleAnswer:
    """Ask for a composite schedule."""
    answer = station.ask(
        GetCompositeSchedule(connector_id=connector_id, duration_s=duration_s, unit=unit)
    )
    assert isinstance(answer, GetCompositeScheduleAnswer)
    return answer


def composite(
    station: VirtualStation,
    connector_id: int = 1,
    duration_s: int = 3600,
    unit: ChargingRateUnit | None = None,
) -> list[tuple[int, float]]:
    """Return the periods of a composite schedule: (seconds after its start, limit)."""
    schedule = ask_composite(station, connector_id, duration_s, unit).schedule
    assert schedule is not None
    return [(period.start_s, period.limit) for period in schedule.periods]


def online(**changes: object) -> VirtualStation:
    """Return a station that the CSMS has accepted."""
    station = VirtualStation(make_settings(**changes))
    station.connect()
    return station


def charging(draws: float = 32.0, **changes: object) -> VirtualStation:
    """Return one that charges on connector 1."""
    station = online(**changes)
    charge(station, draws=draws)
    return station


def charge(station: VirtualStation, connector_id: int = 1, draws: float = 32.0) -> None:
    """Plug a car in and present a tag."""
    station.plug(connector_id, draws=draws)
    station.tag(f"TAG{connector_id}", connector_id)
    assert station.connector(connector_id).status is ConnectorState.CHARGING


def setpoints(station: VirtualStation, connector_id: int = 1) -> tuple[float, float]:
    """Return `ocpp_setpoint` and `setpoint` as published."""
    status = station.connector(connector_id)
    return status.ocpp_setpoint, status.setpoint


def run_to(station: VirtualStation, at: float) -> None:
    """Let time pass until an instant."""
    station.run(at - station.now)


def register_wh(station: VirtualStation) -> float:
    """Unplug, and return the register."""
    station.unplug()
    return station.connector().register_wh


def clear(station: VirtualStation, **criteria: object) -> ClearChargingProfileStatus:
    """Let the CSMS clear profiles."""
    answer = station.ask(ClearChargingProfile(**criteria))  # type: ignore[arg-type]
    assert isinstance(answer, ClearChargingProfileAnswer)
    return answer.status
