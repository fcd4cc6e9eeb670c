"""The OCPP 1.6 Security Whitepaper, edition 3: its messages in both directions."""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.core import security_messages as security
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.conversions import (
    payload_of,
    to_count,
    to_epoch,
    to_integer,
    to_timestamp,
)
from cp_image.dialects.ocpp16.firmware_management import to_location
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult
from cp_image.dialects.ocpp16.outgoing import OutgoingAction, empty_answer

_MAX_TECH_INFO: Final = 255

# -- what the charge point asks -----------------------------------------------------------------


def _event_call(
    request: security.SecurityEventNotification,
) -> dict[str, Any]:
    return payload_of(
        type=request.type,
        timestamp=to_timestamp(request.at),
        techInfo=request.tech_info and request.tech_info[:_MAX_TECH_INFO],
    )


def _sign_answer(payload: Payload) -> security.SignCertificateAnswer:
    return security.SignCertificateAnswer(accepted=payload["status"] == "Accepted")


OUTGOING: Final[Mapping[type[Any], OutgoingAction[Any]]] = {
    security.SecurityEventNotification: OutgoingAction(
        action=Action.SECURITY_EVENT_NOTIFICATION,
        to_call=_event_call,
        to_answer=empty_answer,
    ),
    security.SignCertificate: OutgoingAction(
        action=Action.SIGN_CERTIFICATE,
        to_call=lambda request: payload_of(csr=request.csr),
        to_answer=_sign_answer,
    ),
    security.LogStatusNotification: OutgoingAction(
        action=Action.LOG_STATUS_NOTIFICATION,
        to_call=lambda request: payload_of(
            status=request.status.value, requestId=request.request_id
        ),
        to_answer=empty_answer,
    ),
    security.SignedFirmwareStatusNotification: OutgoingAction(
        action=Action.SIGNED_FIRMWARE_STATUS_NOTIFICATION,
        to_call=lambda request: payload_of(
            status=request.status.value, requestId=request.request_id
        ),
        to_answer=empty_answer,
    ),
}

# -- what the CSMS asks -------------------------------------------------------------------------


def _delete_certificate(payload: Payload) -> security.DeleteCertificate:
    named = payload["certificateHashData"]
    return security.DeleteCertificate(
        certificate=security.CertificateHash(
            hash_algorithm=security.HashAlgorithm(named["hashAlgorithm"]),
            issuer_name_hash=named["issuerNameHash"],
            issuer_key_hash=named["issuerKeyHash"],
            serial_number=named["serialNumber"],
        )
    )


def _extended_trigger(payload: Payload) -> security.ExtendedTriggerMessage:
    connector_id = payload.get("connectorId")
    return security.ExtendedTriggerMessage(
        requested=security.ExtendedTrigger(payload["requestedMessage"]),
        connector_id=None if connector_id is None else to_count("connectorId", connector_id),
    )


def _get_log(payload: Payload) -> security.GetLog:
    log = payload["log"]
    return security.GetLog(
        request_id=to_integer("requestId", payload["requestId"]),
        log_type=security.LogType(payload["logType"]),
        location=to_location("log.remoteLocation", log["remoteLocation"]),
        retries=_count(payload, "retries"),
        retry_interval_s=_count(payload, "retryInterval"),
        start_at=_instant("log.oldestTimestamp", log.get("oldestTimestamp")),
        stop_at=_instant("log.latestTimestamp", log.get("latestTimestamp")),
    )


def _signed_update(payload: Payload) -> security.SignedUpdateFirmware:
    firmware = payload["firmware"]
    return security.SignedUpdateFirmware(
        request_id=to_integer("requestId", payload["requestId"]),
        location=to_location("firmware.location", firmware["location"]),
        retrieve_at=to_epoch("firmware.retrieveDateTime", firmware["retrieveDateTime"]),
        install_at=_instant("firmware.installDateTime", firmware.get("installDateTime")),
        signing_certificate=firmware["signingCertificate"],
        signature=firmware["signature"],
        retries=_count(payload, "retries"),
        retry_interval_s=_count(payload, "retryInterval"),
    )


def _count(payload: Payload, name: str) -> int | None:
    value = payload.get(name)
    return None if value is None else to_count(name, value)


def _instant(name: str, text: str | None) -> float | None:
    return None if text is None else to_epoch(name, text)


INCOMING: Final[Mapping[Action, ToRequest]] = {
    Action.CERTIFICATE_SIGNED: lambda payload: security.CertificateSigned(
        certificate_chain=payload["certificateChain"]
    ),
    Action.DELETE_CERTIFICATE: _delete_certificate,
    Action.EXTENDED_TRIGGER_MESSAGE: _extended_trigger,
    Action.GET_INSTALLED_CERTIFICATE_IDS: lambda payload: security.GetInstalledCertificateIds(
        use=security.CertificateUse(payload["certificateType"])
    ),
    Action.GET_LOG: _get_log,
    Action.INSTALL_CERTIFICATE: lambda payload: security.InstallCertificate(
        use=security.CertificateUse(payload["certificateType"]),
        certificate=payload["certificate"],
    ),
    Action.SIGNED_UPDATE_FIRMWARE: _signed_update,
}


def _to_hash(certificate: security.CertificateHash) -> dict[str, Any]:
    return payload_of(
        hashAlgorithm=certificate.hash_algorithm.value,
        issuerNameHash=certificate.issuer_name_hash,
        issuerKeyHash=certificate.issuer_key_hash,
        serialNumber=certificate.serial_number,
    )


def _installed(
    answer: security.GetInstalledCertificateIdsAnswer,
) -> dict[str, Any]:
    return payload_of(
        status=answer.status.value,
        certificateHashData=[_to_hash(item) for item in answer.certificates] or None,
    )


ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    security.CertificateSignedAnswer: lambda answer: payload_of(status=answer.status.value),
    security.DeleteCertificateAnswer: lambda answer: payload_of(status=answer.status.value),
    security.ExtendedTriggerMessageAnswer: lambda answer: payload_of(status=answer.status.value),
    security.GetInstalledCertificateIdsAnswer: _installed,
    security.GetLogAnswer: lambda answer: payload_of(
        status=answer.status.value, filename=answer.file_name
    ),
    security.InstallCertificateAnswer: lambda answer: payload_of(status=answer.status.value),
    security.SignedUpdateFirmwareAnswer: lambda answer: payload_of(status=answer.status.value),
}
