"""The LocalAuthListManagement profile of OCPP 1.6: §5.10, §5.15."""

from collections.abc import Mapping
from typing import Any, Final

from ocpp.v16 import call_result, enums

from cp_image.core import csms_messages
from cp_image.dialects.ocpp16.conversions import to_id_tag, to_id_tag_status, to_integer
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult


def _send_local_list(payload: Payload) -> csms_messages.SendLocalList:
    return csms_messages.SendLocalList(
        version=to_integer("listVersion", payload["listVersion"]),
        full=payload["updateType"] == enums.UpdateType.full,
        entries=tuple(
            _to_entry(f"localAuthorizationList.{index}", entry)
            for index, entry in enumerate(payload.get("localAuthorizationList", ()))
        ),
    )


def _to_entry(path: str, payload: Payload) -> csms_messages.LocalListEntry:
    id_tag_info = payload.get("idTagInfo")
    return csms_messages.LocalListEntry(
        id_tag=to_id_tag(f"{path}.idTag", payload["idTag"]),
        id_tag_status=None if id_tag_info is None else to_id_tag_status(id_tag_info),
    )


INCOMING: Final[Mapping[enums.Action, ToRequest]] = {
    enums.Action.get_local_list_version: lambda _payload: csms_messages.GetLocalListVersion(),
    enums.Action.send_local_list: _send_local_list,
}

ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.GetLocalListVersionAnswer: lambda answer: call_result.GetLocalListVersion(
        list_version=answer.version
    ),
    csms_messages.SendLocalListAnswer: lambda answer: call_result.SendLocalList(
        status=enums.UpdateStatus(answer.status.value)
    ),
}
