"""A charge point in a process of its own that is driven hard and tells what it has promised."""

import asyncio
import json
import logging
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from cp_image import config
from cp_image.api import topics
from cp_image.api.payloads import CarInput, IdTagInput
from cp_image.api.topics import Topic
from cp_image.core.stored_request import QUEUE_PREFIX, StoredRequest
from cp_image.dialects.ocpp16.conversions import to_timestamp
from cp_image.mqtt_link import Message
from cp_image.shell import charge_point
from cp_image.shell.control import LinkCallbacks
from cp_image.shell.csms import Timing
from cp_image.shell.store import Store

ID = "MORTAL"
ROOT = "cp_simu"
IMPATIENT = Timing(first_retry_s=0.005, last_retry_s=0.05, stable_s=0.0)


def live(central_system: str, directory: Path, seed: int, reports: Connection) -> None:
    """Live until killed, or until the driver's script is over where `seed` is negative."""
    logging.disable(logging.CRITICAL)
    asyncio.run(_live(central_system, directory, seed, reports))


class TellingStore(Store):
    """Reports what has just reached the disk: messages that were kept, messages that were told."""

    def __init__(self, directory: Path, reports: Connection) -> None:
        super().__init__(directory)
        self._reports = reports
        self._kept = {
            key: _identity(value)
            for key, value in self.load().items()
            if key.startswith(QUEUE_PREFIX)
        }

    def commit(self, changes: Any) -> None:
        changes = list(changes)
        super().commit(changes)
        for change in changes:
            if not change.key.startswith(QUEUE_PREFIX):
                continue
            if change.value is not None:
                self._kept[change.key] = _identity(change.value)
                self._tell("kept", self._kept[change.key])
            elif change.key in self._kept:
                self._tell("told", self._kept.pop(change.key))

    def _tell(self, what: str, identity: tuple[str, str]) -> None:
        self._reports.send_bytes(json.dumps([what, *identity, time.time()]).encode())


class Driver:
    """An MQTT link whose other end plugs, presents tags and unplugs, faster than any person."""

    def __init__(self, callbacks: LinkCallbacks, seed: int, reports: Connection) -> None:
        self._callbacks = callbacks
        self._random = Random(seed)
        self._busy = seed >= 0
        self._reports = reports
        self._closed = asyncio.Event()

    def subscribe(self, kind: Topic, root: str, charge_point_id: str = "+") -> None:
        """Hear nothing but the driver."""

    def publish(self, message: Message) -> None:
        """Report the register: nobody may ever see it fall."""
        if message.topic == topics.CONNECTOR_STATUS.build(ROOT, ID, 1):
            register_wh = msgspec.json.decode(message.payload)["register_wh"]
            self._reports.send_bytes(json.dumps(["register", register_wh]).encode())

    async def run(self) -> None:
        """Drive until closed."""
        self._give(topics.CONNECTOR_CAR, CarInput(cable=0.0))
        while self._busy:
            self._give(
                topics.CONNECTOR_CAR,
                CarInput(cable=150_000.0, ready=True, consumption_l1=self._random.uniform(1, 1e5)),
            )
            await self._pause()
            self._give(topics.CONNECTOR_ID_TAG, IdTagInput(id="TAG"))
            await self._pause()
            if self._random.random() < 0.5:
                self._give(topics.CONNECTOR_ID_TAG, IdTagInput(id="TAG"))
                await self._pause()
            self._give(topics.CONNECTOR_CAR, CarInput(cable=0.0))
            await self._pause()
        await self._closed.wait()

    async def close(self) -> None:
        """End."""
        self._closed.set()

    async def _pause(self) -> None:
        await asyncio.sleep(self._random.uniform(0.0, 0.04))

    def _give(self, kind: Topic, payload: Any) -> None:
        topic = kind.build(ROOT, ID, 1)
        self._callbacks.on_message(
            Message(topic=topic, payload=msgspec.json.encode(payload), retain=False)
        )


async def _live(central_system: str, directory: Path, seed: int, reports: Connection) -> None:
    settings = config.read(
        {
            "SIMU_ID": ID,
            "SIMU_CENTRAL_SYSTEM": central_system,
            "SIMU_TYPE": "DC",
            "SIMU_STATE_DIRECTORY": str(directory),
            # A sample every sixtieth of a second.
            "SIMU_CLOCK_RATE": "600",
            "SIMU_CONFIGURATION": '{"MeterValueSampleInterval":"10"}',
        },
        ID,
    )
    with TellingStore(directory, reports) as store:
        runner = charge_point.build(
            settings,
            store,
            make_link=lambda callbacks: Driver(callbacks, seed, reports),
            timing=IMPATIENT,
        )
        await runner.run()


def _identity(value: bytes) -> tuple[str, str]:
    """Return action and timestamp of a kept transaction message."""
    stored = msgspec.json.decode(value, type=StoredRequest)
    if stored.start is not None:
        return "StartTransaction", to_timestamp(stored.start.at)
    if stored.stop is not None:
        return "StopTransaction", to_timestamp(stored.stop.at)
    assert stored.meter_values is not None
    return "MeterValues", to_timestamp(stored.meter_values.meter_values[0].at)
