"""Puts a charge point together: station, store, dialect and links, as the configuration says."""

import asyncio
import itertools
import logging
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Final
from uuid import uuid4

from cp_image.api import secrets
from cp_image.api.payloads import ChargePointState, ChargePointStatus
from cp_image.api.topics import Topic
from cp_image.config import Config
from cp_image.core.security_settings import SecuritySettings
from cp_image.core.settings import StationSettings
from cp_image.core.station import Station
from cp_image.dialects.ocpp16.dialect import Ocpp16
from cp_image.mqtt_link import BrokerAddress, Message, MqttLink
from cp_image.shell.certificates import Certificates
from cp_image.shell.clock import WallClock, make_clock
from cp_image.shell.control import Control, Link, LinkCallbacks
from cp_image.shell.csms import CsmsLink, Timing
from cp_image.shell.csms_access import CsmsAccess, warning
from cp_image.shell.frame_trace import FrameTrace
from cp_image.shell.health import HealthFile
from cp_image.shell.key_tasks import KeyTasks
from cp_image.shell.recent_log import RecentLog
from cp_image.shell.runner import Runner
from cp_image.shell.runner import Station as StationOfRunner
from cp_image.shell.secret_files import GivenSecrets, SecretFiles
from cp_image.shell.store import Store
from cp_image.shell.transfer_tasks import TransferTasks

LOG: Final = logging.getLogger(__name__)
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


async def run(config: Config) -> None:
    """Run a charge point until a signal or a command ends it.

    Raises:
        StoreError: its state cannot be read.
        ExceptionGroup: a part of it failed.
    """
    recent_log = RecentLog(WallClock())
    # By id: Compose hands the volume of a replica on to the one it puts in its place.
    with Store(config.state_directory, config.id) as store:
        runner = build(config, store, make_link=link_factory(config), recent_log=recent_log)
        loop = asyncio.get_running_loop()
        logging.getLogger().addHandler(recent_log)
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, runner.stop, f"signal {number.name}")
        try:
            await runner.run()
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)
            logging.getLogger().removeHandler(recent_log)


def build(
    config: Config,
    store: Store,
    *,
    make_link: Callable[[LinkCallbacks], Link],
    timing: Timing | None = None,
    recent_log: RecentLog | None = None,
) -> Runner:
    """Return the runner of a charge point.

    Args:
        config: what it is.
        store: what it remembers.
        make_link: makes its MQTT link.
        timing: how patient its link to the CSMS is.
        recent_log: what a diagnostics file holds of the log; None holds nothing.
    """
    clock = make_clock(store, rate=config.clock_rate, start_at=config.clock_start)
    recent_log = recent_log or RecentLog(clock)
    recent_log.clock = clock
    trace = FrameTrace(clock)
    files = SecretFiles(config.state_directory / secrets.DIRECTORY)
    given = files.given()
    for name, problem in given.problems.items():
        LOG.error("%s: %s", files.directory / name, problem)
    access = CsmsAccess(
        central_system=config.central_system,
        charge_point_id=config.id,
        user=config.authorization_user,
        files=files,
        problems=given.problems,
        verification=config.tls_verification,
    )
    return Runner(
        make_station=lambda: make_station(config, given, store),
        store=store,
        clock=clock,
        make_csms=lambda on_event: CsmsLink(
            door=access,
            dialect=Ocpp16(),
            on_event=on_event,
            random=_random(config, "csms"),
            tap=trace,
            proxy=config.csms_proxy,
            timing=timing,
        ),
        make_control=lambda sink: Control(
            charge_point_id=config.id,
            identity=identity(config),
            make_link=make_link,
            station=sink,
            clock=clock,
            trace=trace,
            root=config.topic_root,
        ),
        make_transfers=lambda on_event: TransferTasks(
            on_event=on_event, log_lines=recent_log.lines, proxy=config.csms_proxy
        ),
        make_keys=lambda on_event: KeyTasks(access=access, files=files, on_event=on_event),
        on_state=HealthFile(config.state_directory).write,
    )


def make_station(config: Config, given: GivenSecrets, store: Store) -> StationOfRunner:
    """Return the station of a configuration and of what is stored; with its script, if any."""
    made_of = settings(config, given)
    station = Station(
        made_of,
        stored=store.load(),
        random=_random(config, "station"),
        message_ids=message_ids(),
        certificates=Certificates(),
    )
    if config.script is None:
        return station
    from cp_image.core.scripted_station import scripted  # noqa: PLC0415 - few charge points have one

    return scripted(station, made_of, config.script, partial(_random, config))


def settings(config: Config, given: GivenSecrets) -> StationSettings:
    """Return what the core must know of a configuration, and of the secrets it is given."""
    return StationSettings(
        charge_point_id=config.id,
        type=config.type,
        vendor=config.vendor,
        model=config.model,
        serial=config.serial,
        nb_connectors=config.nb_connectors,
        nb_phases=config.nb_phases,
        voltage_v=config.voltage,
        frequency_hz=config.frequency,
        max_setpoint=config.max_setpoint,
        max_setpoint_per_connector=config.max_setpoint_per_connector,
        configuration=config.configuration,
        security=SecuritySettings(
            profile=config.security_profile,
            authorization_key=given.authorization_key,
            root_ca=given.root_ca,
            client_cert=given.client_cert,
            manufacturer_ca=given.manufacturer_ca,
            key_kind=config.key_kind,
            warning=warning(config.tls_verification),
        ),
        follows_csms_clock=config.clock_rate == 1.0 and config.clock_start is None,
        clock_rate=config.clock_rate,
    )


def identity(config: Config) -> ChargePointStatus:
    """Return the charge point's status before anything has happened."""
    return ChargePointStatus(
        pid=os.getpid(),
        status=ChargePointState.DISCONNECTED,
        vendor=config.vendor,
        model=config.model,
        serial=config.serial,
        nb_phases=config.nb_phases,
        max_setpoint=config.max_setpoint,
        central_system=config.central_system,
        type=config.type,
        voltage=config.voltage,
        nb_connectors=config.nb_connectors,
        container=config.container,
        clock_rate=config.clock_rate,
    )


def message_ids() -> Iterator[str]:
    """Return ids that no other charge point and no earlier life of this one has used."""
    return (str(uuid4()) for _ in itertools.count())


def link_factory(config: Config) -> Callable[[LinkCallbacks], Link]:
    """Return what makes the MQTT link that a configuration asks for."""
    broker = config.broker
    if broker is None:
        return lambda _callbacks: NoBroker()
    return lambda callbacks: _mqtt_link(broker, f"{config.topic_root}/{config.id}", callbacks)


def _mqtt_link(broker: BrokerAddress, client_id: str, callbacks: LinkCallbacks) -> MqttLink:
    return MqttLink(
        address=broker,
        client_id=client_id,
        will=callbacks.will,
        on_message=callbacks.on_message,
        on_connection=callbacks.on_connection,
    )


class NoBroker:
    """The MQTT link of a charge point without MQTT: nothing is heard, nothing is said."""

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear nothing."""

    def publish(self, message: Message) -> None:
        """Say nothing."""

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Be closed."""


def _random(config: Config, stream: str) -> Random:
    return Random(f"{config.seed}:{config.id}:{stream}")  # noqa: S311 - not for secrets
