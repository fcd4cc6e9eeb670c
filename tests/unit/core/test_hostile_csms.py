"""A CSMS can never kill a charge point, whatever it asks and answers within the schemas."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cp_image.api.payloads import CarInput
from cp_image.core.errors import InputError
from cp_image.core.events import TransferEnded
from cp_image.core.firmware_image import FirmwareImage
from tests.support.hostile_csms import HostileCsms, payloads
from tests.support.schema_payloads import FROM_CSMS
from tests.support.virtual_station import make_settings
from tests.support.wired_station import WiredStation

SECURITY = (
    "CertificateSigned",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetInstalledCertificateIds",
    "GetLog",
    "InstallCertificate",
    "SignedUpdateFirmware",
)
TICKS_MAX = 40
"""Of one stretch of time; a timer that comes late has to be lived with, too."""

IMAGE = FirmwareImage(file_name="fw-2.0.bin", size_bytes=1, sha256="00", first_line="")
INPUTS: dict[str, Callable[[WiredStation, int], object]] = {
    "plug": lambda station, number: station.plug(number),
    "unplug": lambda station, number: station.unplug(number),
    "tag": lambda station, number: station.tag("TAG1", number),
    "other tag": lambda station, number: station.tag("TAG2", number),
    "battery": lambda station, number: station.car(
        number, CarInput(cable=32.0, battery_wh=1000, soc_pct=50)
    ),
    "fault": lambda station, number: station.fault(number % 3),
    "clear": lambda station, number: station.fault(number % 3, faulted=False),
    "transfer ends": lambda station, number: station.handle(
        TransferEnded(number=number, ok=True, image=IMAGE)
    ),
    "transfer fails": lambda station, number: station.handle(
        TransferEnded(number=number, ok=False, reason="no route to host")
    ),
    "reconnect": lambda station, _: station.disconnect(),
}
ASKED = st.sampled_from(FROM_CSMS + SECURITY).flatmap(
    lambda action: st.tuples(st.just(action), payloads(action))
)
STEPS = st.lists(
    st.tuples(st.just("ask"), ASKED)
    | st.tuples(st.sampled_from(sorted(INPUTS)), st.integers(1, 3))
    | st.tuples(st.just("wait"), st.sampled_from([0.0, 1.0, 61.0, 3600.0, 1e5, 1e9]))
    | st.tuples(st.just("power cut"), st.sampled_from([0.0, 1e5])),
    max_size=25,
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), steps=STEPS)
def test_whatever_it_says_the_charge_point_lives(
    data: st.DataObject, steps: list[tuple[str, Any]]
) -> None:
    ids = (f"m{number}" for number in itertools.count())
    station = WiredStation(make_settings(), csms=HostileCsms(data.draw), message_ids=ids)
    for number, (kind, what) in enumerate(steps):
        if not station.linked:
            station.connect()
        match kind:
            case "ask":
                action, payload = what
                station.hear(json.dumps([2, f"csms-{number}", action, payload]))
            case "wait":
                station.run(what, ticks_max=TICKS_MAX)
            case "power cut":
                station = WiredStation(
                    station.settings,
                    csms=station.csms,
                    stored=station.stored,
                    now=station.now + what,
                    message_ids=ids,
                )
            case _:
                try:
                    INPUTS[kind](station, what)
                except InputError:
                    continue  # it is refused, which is an answer
    station.run(7200, ticks_max=TICKS_MAX)
