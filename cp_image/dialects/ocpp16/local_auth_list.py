"""The LocalAuthListManagement profile of OCPP 1.6: §5.10, §5.15."""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.core import csms_messages
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.conversions import payload_of, to_id_tag, to_id_tag_status, to_integer
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult


def _send_local_list(payload: Payload) -> csms_messages.SendLocalList:
    return csms_messages.SendLocalList(
        version=to_integer("listVersion", payload["listVersion"]),
        full=payload["updateType"] == "Full",
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


INCOMING: Final[Mapping[Action, ToRequest]] = {
    Action.GET_LOCAL_LIST_VERSION: lambda _payload: csms_messages.GetLocalListVersion(),
    Action.SEND_LOCAL_LIST: _send_local_list,
}

ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    csms_messages.GetLocalListVersionAnswer: lambda answer: payload_of(listVersion=answer.version),
    csms_messages.SendLocalListAnswer: lambda answer: payload_of(status=answer.status.value),
}
