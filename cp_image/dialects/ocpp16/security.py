"""The OCPP 1.6 Security Whitepaper, edition 3: its messages in both directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ocpp.v16 import call, call_result, datatypes, enums

from cp_image.core import security_messages as security
from cp_image.dialects.ocpp16.conversions import to_count, to_epoch, to_integer, to_timestamp
from cp_image.dialects.ocpp16.firmware_management import to_location
from cp_image.dialects.ocpp16.incoming import Payload, ToRequest, ToResult
from cp_image.dialects.ocpp16.outgoing import OutgoingAction, empty_answer

_MAX_TECH_INFO: Final = 255

# -- what the charge point asks -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogStatusCall:
    """`ocpp.v16.call.LogStatusNotification`, whose request id may be left out (schema)."""

    status: enums.UploadLogStatus
    request_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _FirmwareStatusCall:
    """`ocpp.v16.call.SignedFirmwareStatusNotification`, likewise."""

    status: enums.FirmwareStatus
    request_id: int | None


def _event_call(
    request: security.SecurityEventNotification,
) -> call.SecurityEventNotification:
    return call.SecurityEventNotification(
        type=request.type,
        timestamp=to_timestamp(request.at),
        tech_info=request.tech_info and request.tech_info[:_MAX_TECH_INFO],
    )


def _sign_answer(payload: Payload) -> security.SignCertificateAnswer:
    return security.SignCertificateAnswer(accepted=payload["status"] == "Accepted")


OUTGOING: Final[Mapping[type[Any], OutgoingAction[Any]]] = {
    security.SecurityEventNotification: OutgoingAction(
        action=enums.Action.security_event_notification,
        to_call=_event_call,
        to_answer=empty_answer,
    ),
    security.SignCertificate: OutgoingAction(
        action=enums.Action.sign_certificate,
        to_call=lambda request: call.SignCertificate(csr=request.csr),
        to_answer=_sign_answer,
    ),
    security.LogStatusNotification: OutgoingAction(
        action=enums.Action.log_status_notification,
        to_call=lambda request: _LogStatusCall(
            status=enums.UploadLogStatus(request.status.value), request_id=request.request_id
        ),
        to_answer=empty_answer,
    ),
    security.SignedFirmwareStatusNotification: OutgoingAction(
        action=enums.Action.signed_firmware_status_notification,
        to_call=lambda request: _FirmwareStatusCall(
            status=enums.FirmwareStatus(request.status.value), request_id=request.request_id
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


INCOMING: Final[Mapping[enums.Action, ToRequest]] = {
    enums.Action.certificate_signed: lambda payload: security.CertificateSigned(
        certificate_chain=payload["certificateChain"]
    ),
    enums.Action.delete_certificate: _delete_certificate,
    enums.Action.extended_trigger_message: _extended_trigger,
    enums.Action.get_installed_certificate_ids: lambda payload: security.GetInstalledCertificateIds(
        use=security.CertificateUse(payload["certificateType"])
    ),
    enums.Action.get_log: _get_log,
    enums.Action.install_certificate: lambda payload: security.InstallCertificate(
        use=security.CertificateUse(payload["certificateType"]),
        certificate=payload["certificate"],
    ),
    enums.Action.signed_update_firmware: _signed_update,
}


def _to_hash(certificate: security.CertificateHash) -> datatypes.CertificateHashData:
    return datatypes.CertificateHashData(
        hash_algorithm=enums.HashAlgorithm(certificate.hash_algorithm.value),
        issuer_name_hash=certificate.issuer_name_hash,
        issuer_key_hash=certificate.issuer_key_hash,
        serial_number=certificate.serial_number,
    )


def _installed(
    answer: security.GetInstalledCertificateIdsAnswer,
) -> call_result.GetInstalledCertificateIds:
    return call_result.GetInstalledCertificateIds(
        status=enums.GetInstalledCertificateStatus(answer.status.value),
        certificate_hash_data=[_to_hash(item) for item in answer.certificates] or None,
    )


ANSWERS: Final[Mapping[type[Any], ToResult]] = {
    security.CertificateSignedAnswer: lambda answer: call_result.CertificateSigned(
        status=enums.CertificateSignedStatus(answer.status.value)
    ),
    security.DeleteCertificateAnswer: lambda answer: call_result.DeleteCertificate(
        status=enums.DeleteCertificateStatus(answer.status.value)
    ),
    security.ExtendedTriggerMessageAnswer: lambda answer: call_result.ExtendedTriggerMessage(
        status=enums.TriggerMessageStatus(answer.status.value)
    ),
    security.GetInstalledCertificateIdsAnswer: _installed,
    security.GetLogAnswer: lambda answer: call_result.GetLog(
        status=enums.LogStatus(answer.status.value), filename=answer.file_name
    ),
    security.InstallCertificateAnswer: lambda answer: call_result.InstallCertificate(
        status=enums.CertificateStatus(answer.status.value)
    ),
    security.SignedUpdateFirmwareAnswer: lambda answer: call_result.SignedUpdateFirmware(
        status=enums.UpdateFirmwareStatus(answer.status.value)
    ),
}
