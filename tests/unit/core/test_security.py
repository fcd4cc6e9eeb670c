"""Security: profiles, keys, certificates, events, logs (Security Whitepaper, edition 3)."""

from typing import Any

import pytest

from cp_image.api.payloads import ChargePointState
from cp_image.api.secrets import SecurityProfile
from cp_image.api.value import replace
from cp_image.core import security_messages as sm
from cp_image.core.csms_messages import (
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ConfigurationStatus,
    GetConfiguration,
    GetConfigurationAnswer,
    GetDiagnostics,
    Reset,
    UpdateFirmware,
)
from cp_image.core.effects import (
    CancelTransfer,
    Disconnect,
    Download,
    ForgetKey,
    GenerateKeyAndCsr,
    LogLevel,
    Persist,
    SendAnswer,
    SetCredentials,
    Upload,
)
from cp_image.core.errors import NotAllowedError
from cp_image.core.events import (
    InvalidMessageHeard,
    KeyGenerated,
    SecurityEventWanted,
    TransferEnded,
)
from cp_image.core.firmware import INSTALLATION_S
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.identity import GIVEN, Identity
from cp_image.core.link_faults import LinkFault
from cp_image.core.link_security import ATTEMPTS
from cp_image.core.messages import BootNotification, RegistrationStatus
from cp_image.core.security_events import LOG_LENGTH, LoggedEvent
from cp_image.core.security_settings import SecuritySettings
from cp_image.core.transfer_faults import TransferFault
from tests.support.virtual_station import EPOCH, VirtualStation, make_settings
from tests.unit.core.security_fakes import FakeReader, fake_pem

C = ConfigurationStatus
P = SecurityProfile
OLD_KEY = b"0123456789abcdef"
NEW_KEY = bytes(range(20))
DAY_S = 86_400.0
ROOT = fake_pem("Root")
OWN = fake_pem("CP-0001", issuer="Root")
GIVEN_SECRETS = SecuritySettings(authorization_key=OLD_KEY, root_ca=ROOT, client_cert=OWN)


def made(security: SecuritySettings | None = None, **keys: str) -> VirtualStation:
    settings = make_settings(configuration=keys, security=security or SecuritySettings())
    return VirtualStation(settings, certificates=FakeReader())


def online(security: SecuritySettings | None = None, **keys: str) -> VirtualStation:
    station = made(security, **keys)
    station.connect()
    return station


def at_profile(profile: SecurityProfile, **keys: str) -> VirtualStation:
    return online(replace(GIVEN_SECRETS, profile=profile), **keys)


def change(station: VirtualStation, key: str, value: str) -> ConfigurationStatus:
    answer = station.ask(ChangeConfiguration(key=key, value=value))
    assert isinstance(answer, ChangeConfigurationAnswer)
    return answer.status


def credentials(station: VirtualStation) -> SetCredentials:
    return station.wanted(SetCredentials)[-1]


def shown_profile(station: VirtualStation) -> str:
    answer = station.ask(GetConfiguration(keys=("SecurityProfile",)))
    assert isinstance(answer, GetConfigurationAnswer)
    return str(answer.keys[0].value)


def told(station: VirtualStation) -> list[str]:
    return [request.type for request in station.heard(sm.SecurityEventNotification)]


def reconnect(station: VirtualStation) -> None:
    """Let the shell do what a `Disconnect` asks of it."""
    station.disconnect("as asked")
    station.connect()


def refuse(station: VirtualStation, times: int, fault: LinkFault = LinkFault.PASSWORD) -> None:
    for _ in range(times):
        station.disconnect("HTTP 401 Unauthorized", fault=fault)


# -- profiles --------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", list(SecurityProfile))
def test_the_link_is_told_how_to_connect_before_it_does(profile: SecurityProfile) -> None:
    station = made(replace(GIVEN_SECRETS, profile=profile))
    assert credentials(station) == SetCredentials(
        profile=profile,
        authorization_key=OLD_KEY,
        roots=(ROOT,),
        identity=Identity(number=GIVEN, chain=OWN),
    )
    station.connect()
    assert shown_profile(station) == str(profile.value)


@pytest.mark.parametrize("before", list(SecurityProfile))
@pytest.mark.parametrize("after", list(SecurityProfile))
def test_a_profile_goes_up_and_never_down(before: SecurityProfile, after: SecurityProfile) -> None:
    station = at_profile(before)
    status = change(station, "SecurityProfile", str(after.value))
    assert status is (C.REJECTED if after < before else C.ACCEPTED)
    if after > before:
        assert credentials(station).profile is after
        reconnect(station)
        assert shown_profile(station) == str(after.value)
    else:
        assert station.wanted(Disconnect) == []
        assert shown_profile(station) == str(before.value)


def test_the_answer_leaves_before_the_connection_is_closed() -> None:
    station = at_profile(P.BASIC)
    before = len(station.effects)
    change(station, "SecurityProfile", "2")
    kinds = [type(effect) for _, effect in station.effects[before:]]
    assert kinds.index(SendAnswer) < kinds.index(Disconnect)
    assert kinds.index(SetCredentials) < kinds.index(Disconnect)


@pytest.mark.parametrize(
    ("lacking", "profile", "missing"),
    [
        ({"authorization_key": None}, 1, "an AuthorizationKey"),
        ({"authorization_key": None}, 2, "an AuthorizationKey"),
        ({"root_ca": ""}, 2, "a CentralSystemRootCertificate"),
        ({"root_ca": ""}, 3, "a CentralSystemRootCertificate"),
        ({"client_cert": ""}, 3, "a certificate of the charge point"),
    ],
)
def test_what_a_profile_cannot_do_without(
    lacking: dict[str, Any], profile: int, missing: str
) -> None:
    station = online(replace(GIVEN_SECRETS, **lacking))
    assert change(station, "SecurityProfile", str(profile)) is C.REJECTED
    assert missing in station.logs()[-1]
    assert station.wanted(Disconnect) == []


@pytest.mark.parametrize("value", ["4", "-1", "abc", "", "1.0"])
def test_what_is_no_profile(value: str) -> None:
    assert change(at_profile(P.BASIC), "SecurityProfile", value) is C.REJECTED


def test_a_profile_that_cannot_connect_falls_back() -> None:
    station = at_profile(P.BASIC)
    change(station, "SecurityProfile", "3")
    station.disconnect("as asked")
    refuse(station, ATTEMPTS - 1, LinkFault.CSMS_CERTIFICATE)
    assert credentials(station).profile is P.MUTUAL_TLS
    refuse(station, 1, LinkFault.CSMS_CERTIFICATE)
    assert credentials(station).profile is P.BASIC
    assert "security profile 3 does not work, back to what did" in " ".join(station.logs())
    station.connect()
    assert shown_profile(station) == "1"
    assert told(station)[-2:] == [
        "InvalidCentralSystemCertificate",
        "ReconfigurationOfSecurityParameters",
    ]
    assert change(station, "SecurityProfile", "2") is C.ACCEPTED


def test_a_raised_profile_outlives_the_power_and_what_the_files_say() -> None:
    station = at_profile(P.BASIC)
    change(station, "SecurityProfile", "2")
    reconnect(station)
    again = station.power_cut()
    assert credentials(again).profile is P.TLS


def test_a_profile_that_is_tried_is_tried_on_after_a_power_cut_and_falls_back_all_the_same() -> (
    None
):
    station = at_profile(P.BASIC)
    change(station, "SecurityProfile", "2")
    again = station.power_cut()
    assert credentials(again).profile is P.TLS
    refuse(again, ATTEMPTS)
    assert credentials(again).profile is P.BASIC
    assert credentials(again.power_cut()).profile is P.BASIC


def test_files_may_raise_the_profile_too() -> None:
    station = at_profile(P.BASIC)
    change(station, "AuthorizationKey", NEW_KEY.hex())
    reconnect(station)
    station.settings = make_settings(security=replace(GIVEN_SECRETS, profile=P.TLS))
    raised = credentials(station.power_cut())
    assert (raised.profile, raised.authorization_key) == (P.TLS, NEW_KEY)


def test_while_one_change_is_tried_there_is_no_other() -> None:
    station = at_profile(P.BASIC)
    change(station, "SecurityProfile", "2")
    assert change(station, "SecurityProfile", "3") is C.REJECTED
    assert change(station, "AuthorizationKey", NEW_KEY.hex()) is C.REJECTED


def test_what_is_not_verified_stands_in_every_status() -> None:
    station = online(replace(GIVEN_SECRETS, profile=P.TLS, warning="UNSAFE: nothing is verified"))
    station.disconnect("gone")
    for published in station.station_history():
        assert "UNSAFE: nothing is verified" in published.reason
    assert station.station_history()[-1].reason == "gone; UNSAFE: nothing is verified"
    assert ChargePointState.ACCEPTED in {p.status for p in station.station_history()}


# -- AuthorizationKey ------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [P.BASIC, P.TLS])
def test_a_new_key_is_used_on_a_new_connection(profile: SecurityProfile) -> None:
    station = at_profile(profile)
    assert change(station, "AuthorizationKey", NEW_KEY.hex().upper()) is C.ACCEPTED
    assert credentials(station).authorization_key == NEW_KEY
    assert len(station.wanted(Disconnect)) == 1
    reconnect(station)
    assert told(station)[-1] == "ReconfigurationOfSecurityParameters"
    assert credentials(station.power_cut()).authorization_key == NEW_KEY


def test_a_new_key_that_is_refused_gives_way_to_the_old_one() -> None:
    station = at_profile(P.BASIC)
    change(station, "AuthorizationKey", NEW_KEY.hex())
    station.disconnect("as asked")
    refuse(station, ATTEMPTS)
    assert credentials(station).authorization_key == OLD_KEY
    station.connect()
    assert credentials(station.power_cut()).authorization_key == OLD_KEY
    assert "FailedToAuthenticateAtCentralSystem" in told(station)


@pytest.mark.parametrize("profile", [P.NONE, P.MUTUAL_TLS])
def test_a_key_nobody_asks_for_is_only_kept(profile: SecurityProfile) -> None:
    station = at_profile(profile)
    assert change(station, "AuthorizationKey", NEW_KEY.hex()) is C.ACCEPTED
    assert station.wanted(Disconnect) == []
    assert credentials(station).authorization_key == NEW_KEY
    assert credentials(station.power_cut()).authorization_key == NEW_KEY


@pytest.mark.parametrize(
    "value",
    ["", "00" * 15, "00" * 21, "0" * 33, "xy" * 16, "secret-password-in-clear-text"],
)
def test_what_is_no_key_is_rejected_and_not_logged(value: str) -> None:
    station = at_profile(P.BASIC)
    assert change(station, "AuthorizationKey", value) is C.REJECTED
    assert not value or not any(value in line for line in station.logs())


@pytest.mark.parametrize("length", [16, 17, 20])
def test_a_key_has_16_to_20_bytes(length: int) -> None:
    assert change(at_profile(P.BASIC), "AuthorizationKey", "0f" * length) is C.ACCEPTED


def test_a_key_is_never_readable() -> None:
    station = at_profile(P.BASIC)
    change(station, "AuthorizationKey", NEW_KEY.hex())
    reconnect(station)
    for keys in ((), ("AuthorizationKey",)):
        answer = station.ask(GetConfiguration(keys=keys))
        assert isinstance(answer, GetConfigurationAnswer)
        (key,) = [key for key in answer.keys if key.key == "AuthorizationKey"]
        assert (key.read_only, key.value) == (False, None)
    assert "AuthorizationKey" not in station.station.ocpp_config()
    station.ask(GetDiagnostics(location="ftp://h/"))
    report = station.wanted(Upload)[-1].report
    said = "".join((report, *station.frames, *station.logs(), repr(station.wanted(SetCredentials))))
    for secret in (OLD_KEY, NEW_KEY):
        assert secret.hex() not in said
        assert repr(secret)[2:-1] not in said


def test_a_key_file_that_was_written_anew_counts_again() -> None:
    station = at_profile(P.BASIC)
    change(station, "AuthorizationKey", NEW_KEY.hex())
    reconnect(station)
    given = replace(GIVEN_SECRETS, profile=P.BASIC, authorization_key=b"written by hand")
    station.settings = make_settings(security=given)
    assert credentials(station.power_cut()).authorization_key == b"written by hand"


# -- root certificates -----------------------------------------------------------------------

USE = sm.CertificateUse.CENTRAL_SYSTEM_ROOT
OTHER = fake_pem("Other root")


def install(station: VirtualStation, pem: str, use: sm.CertificateUse = USE) -> str:
    answer = station.ask(sm.InstallCertificate(use=use, certificate=pem))
    assert isinstance(answer, sm.InstallCertificateAnswer)
    return answer.status.value


def installed(station: VirtualStation, use: sm.CertificateUse = USE) -> list[sm.CertificateHash]:
    answer = station.ask(sm.GetInstalledCertificateIds(use=use))
    assert isinstance(answer, sm.GetInstalledCertificateIdsAnswer)
    found = answer.status is sm.InstalledCertificatesStatus.ACCEPTED
    assert found == bool(answer.certificates)
    return list(answer.certificates)


def delete(station: VirtualStation, name: sm.CertificateHash) -> str:
    answer = station.ask(sm.DeleteCertificate(certificate=name))
    assert isinstance(answer, sm.DeleteCertificateAnswer)
    return answer.status.value


def test_a_certificate_is_installed_named_and_deleted() -> None:
    station = online()
    assert installed(station) == []
    assert install(station, OTHER) == "Accepted"
    assert install(station, OTHER) == "Accepted"
    (name,) = installed(station)
    assert name.hash_algorithm is sm.HashAlgorithm.SHA256
    assert credentials(station).roots == (OTHER,)
    again = station.power_cut()
    again.connect()
    assert installed(again) == [name]
    assert installed(again, sm.CertificateUse.MANUFACTURER_ROOT) == []
    assert delete(again, name) == "Accepted"
    assert delete(again, name) == "NotFound"
    assert installed(again) == []
    assert "ReconfigurationOfSecurityParameters" in told(again)


@pytest.mark.parametrize("algorithm", list(sm.HashAlgorithm))
def test_a_certificate_is_named_by_each_algorithm(algorithm: sm.HashAlgorithm) -> None:
    station = online()
    install(station, OTHER)
    name = FakeReader().name(OTHER, [OTHER], algorithm)
    loud = replace(name, issuer_key_hash="AB", serial_number="001F")
    assert delete(station, replace(loud, issuer_key_hash="AC")) == "NotFound"
    assert delete(station, loud) == "Accepted"


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        ("nonsense", "one PEM certificate is wanted, there are 0"),
        (ROOT + OTHER, "one PEM certificate is wanted, there are 2"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "no whole PEM"),
        (fake_pem("R", ends_at=EPOCH - 1), "it has expired"),
        (fake_pem("R", begins_at=EPOCH + 1000), "it is not valid yet"),
        (fake_pem("R", is_ca=False), "it is not of an authority"),
        (fake_pem("R", weak=True), "too weak"),
    ],
)
def test_what_is_no_good_is_not_installed(pem: str, words: str) -> None:
    station = online()
    assert install(station, pem) == "Rejected"
    assert words in station.logs()[-1]
    assert installed(station) == []


def test_no_more_are_installed_than_there_is_room_for() -> None:
    station = online(CertificateStoreMaxLength="2")
    assert [install(station, fake_pem(f"R{number}")) for number in range(3)] == [
        "Accepted",
        "Accepted",
        "Rejected",
    ]


def test_the_root_in_use_is_not_deleted() -> None:
    station = at_profile(P.TLS)
    (name,) = installed(station)
    assert delete(station, name) == "Failed"
    install(station, OTHER)
    station.disconnect()
    station.connect(root=ROOT.replace("\n", "\r\n"))
    assert delete(station, name) == "Failed"
    assert "it is in use" in station.logs()[-1]
    station.disconnect()
    station.connect(root=OTHER)
    assert delete(station, name) == "Accepted"
    assert credentials(station.power_cut()).roots == (OTHER,)


def test_a_new_root_replaces_the_one_that_vouches_for_it_where_that_is_asked() -> None:
    heir = fake_pem("Heir", issuer="Root", is_ca=True)
    grandchild = fake_pem("Grandchild", issuer="Heir", is_ca=True)
    station = online(
        replace(GIVEN_SECRETS, root_ca=ROOT),
        AdditionalRootCertificateCheck="true",
        CertificateStoreMaxLength="2",
    )
    assert install(station, OTHER) == "Rejected"
    assert install(station, heir) == "Accepted"
    assert credentials(station).roots == (ROOT, heir)
    assert install(station, grandchild) == "Accepted"
    assert credentials(station).roots == (heir, grandchild)
    assert install(station, grandchild) == "Accepted"
    assert credentials(station.power_cut()).roots == (heir, grandchild)


def test_a_root_file_that_was_written_anew_counts_with_what_was_installed() -> None:
    station = at_profile(P.TLS)
    install(station, OTHER)
    new = fake_pem("New root")
    station.settings = make_settings(security=replace(GIVEN_SECRETS, root_ca=new))
    assert credentials(station.power_cut()).roots == (new, OTHER)


# -- the charge point's own certificate ------------------------------------------------------


def trigger(station: VirtualStation, requested: sm.ExtendedTrigger, **more: Any) -> str:
    answer = station.ask(sm.ExtendedTriggerMessage(requested=requested, **more))
    assert isinstance(answer, sm.ExtendedTriggerMessageAnswer)
    return answer.status.value


def wanted_key(station: VirtualStation) -> GenerateKeyAndCsr:
    return station.wanted(GenerateKeyAndCsr)[-1]


def make_key(station: VirtualStation) -> None:
    number = wanted_key(station).number
    station.handle(KeyGenerated(number=number, csr=f"csr {number}", public_key=f"key {number}"))


def asking(station: VirtualStation) -> VirtualStation:
    trigger(station, sm.ExtendedTrigger.SIGN_CHARGE_POINT_CERTIFICATE)
    make_key(station)
    return station


def signed_pem(station: VirtualStation, **facts: Any) -> str:
    key = f"key {wanted_key(station).number}"
    return fake_pem("CP-0001", **({"issuer": "Root", "public_key": key} | facts))


def sign(station: VirtualStation, chain: str) -> str:
    answer = station.ask(sm.CertificateSigned(certificate_chain=chain))
    assert isinstance(answer, sm.CertificateSignedAnswer)
    return answer.status.value


def csrs(station: VirtualStation) -> list[str]:
    return [request.csr for request in station.heard(sm.SignCertificate)]


def test_a_new_certificate_is_used_for_the_connection() -> None:
    station = asking(at_profile(P.MUTUAL_TLS, CpoName="Operator"))
    wanted = wanted_key(station)
    assert (wanted.common_name, wanted.organization) == ("CP-0001", "Operator")
    assert csrs(station) == ["csr 1"]
    chain = signed_pem(station, organization="Operator")
    assert sign(station, chain) == "Accepted"
    assert credentials(station).identity == Identity(number=1, chain=chain)
    assert len(station.wanted(Disconnect)) == 1
    reconnect(station)
    again = station.power_cut()
    assert credentials(again).identity == Identity(number=1, chain=chain)


def test_a_new_certificate_the_csms_refuses_gives_way_to_the_old_one() -> None:
    station = asking(at_profile(P.MUTUAL_TLS))
    sign(station, signed_pem(station))
    station.disconnect("as asked")
    refuse(station, ATTEMPTS, LinkFault.CLIENT_CERTIFICATE)
    assert credentials(station).identity == Identity(number=GIVEN, chain=OWN)
    assert station.wanted(ForgetKey) == [ForgetKey(number=1)]


def test_a_certificate_comes_before_the_profile_that_takes_it() -> None:
    station = online(replace(GIVEN_SECRETS, profile=P.BASIC, client_cert=""))
    assert change(station, "SecurityProfile", "3") is C.REJECTED
    asking(station)
    assert sign(station, signed_pem(station)) == "Accepted"
    assert station.wanted(Disconnect) == []
    assert change(station, "SecurityProfile", "3") is C.ACCEPTED
    reconnect(station)
    assert shown_profile(station) == "3"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"ends_at": EPOCH - 1}, "has expired"),
        ({"begins_at": EPOCH + 2000, "ends_at": EPOCH + 1000}, "has expired"),
        ({"issuer": "Stranger"}, "does not come from a root certificate"),
        ({"public_key": "another"}, "it is of another key"),
        ({"name": "CP-0002"}, "its common name is 'CP-0002', not 'CP-0001'"),
        ({"organization": "Thief"}, "its organization is 'Thief', not 'Operator'"),
        ({"weak": True}, "too weak"),
    ],
)
def test_a_certificate_that_is_no_good(facts: dict[str, Any], words: str) -> None:
    station = asking(at_profile(P.MUTUAL_TLS, CpoName="Operator"))
    content = {"organization": "Operator"} | facts
    name = content.pop("name", "CP-0001")
    key = f"key {wanted_key(station).number}"
    chain = fake_pem(name, **({"issuer": "Root", "public_key": key} | content))
    assert sign(station, chain) == "Rejected"
    assert words in " ".join(station.logs())
    assert told(station)[-1] == "InvalidChargePointCertificate"
    assert station.wanted(Disconnect) == []


def test_a_certificate_that_is_not_valid_yet_is_used_as_soon_as_it_is() -> None:
    station = asking(at_profile(P.MUTUAL_TLS))
    chain = signed_pem(station, begins_at=EPOCH + 1000)
    assert sign(station, chain) == "Accepted"
    assert "from 2023-11-14T22:30:00Z on" in " ".join(station.logs())
    station.run(990)
    assert credentials(station).identity == Identity(number=GIVEN, chain=OWN)
    assert station.wanted(Disconnect) == []
    station = station.power_cut()
    station.connect()
    assert credentials(station).identity == Identity(number=GIVEN, chain=OWN)
    station.run(10)
    assert credentials(station).identity == Identity(number=1, chain=chain)
    assert len(station.wanted(Disconnect)) == 1
    reconnect(station)
    assert told(station)[-1] == "ReconfigurationOfSecurityParameters"
    assert station.wanted(ForgetKey) == []


def test_the_newest_certificate_takes_the_place_of_one_that_is_to_come() -> None:
    station = asking(at_profile(P.MUTUAL_TLS))
    sign(station, signed_pem(station, begins_at=EPOCH + 1000))
    chain = signed_pem(asking(station))
    assert sign(station, chain) == "Accepted"
    assert station.wanted(ForgetKey) == [ForgetKey(number=1)]
    assert credentials(station).identity == Identity(number=2, chain=chain)
    reconnect(station)
    station.run(2000)
    assert credentials(station).identity == Identity(number=2, chain=chain)


def test_nothing_is_renewed_while_a_certificate_is_to_come() -> None:
    own = fake_pem(
        "CP-0001", issuer="Root", begins_at=EPOCH - 300 * DAY_S, ends_at=EPOCH + 65 * DAY_S
    )
    station = made(replace(GIVEN_SECRETS, profile=P.MUTUAL_TLS, client_cert=own))
    station.csms.interval_s = 10_000_000
    station.connect()
    asking(station)
    sign(station, signed_pem(station, begins_at=EPOCH + 60 * DAY_S))
    station.run(59 * DAY_S)
    assert len(station.wanted(GenerateKeyAndCsr)) == 1
    station.run(DAY_S)
    identity = credentials(station).identity
    assert identity is not None
    assert identity.number == 1


def test_a_chain_that_is_too_long_or_no_chain() -> None:
    station = asking(at_profile(P.MUTUAL_TLS, CertificateSignedMaxChainSize="100"))
    assert sign(station, signed_pem(station)) == "Rejected"
    assert sign(station, "x") == "Rejected"


def test_a_certificate_nobody_has_asked_for() -> None:
    station = at_profile(P.MUTUAL_TLS)
    assert sign(station, fake_pem("CP-0001", issuer="Root")) == "Rejected"


def test_without_a_root_there_is_nobody_to_vouch() -> None:
    station = asking(online(replace(GIVEN_SECRETS, root_ca="")))
    assert sign(station, signed_pem(station)) == "Rejected"


def test_a_certificate_that_does_not_come_is_asked_for_again_with_a_new_key() -> None:
    station = asking(at_profile(P.BASIC, CertSigningWaitMinimum="30", CertSigningRepeatTimes="2"))
    asked_at = [station.now]
    while station.wanted(GenerateKeyAndCsr)[-1].number < 3:
        before = len(station.wanted(GenerateKeyAndCsr))
        while len(station.wanted(GenerateKeyAndCsr)) == before:
            station.run(1)
        make_key(station)
        asked_at.append(station.now)
    assert [at - EPOCH for at in asked_at] == [0, 30, 90]  # the wait doubles
    assert csrs(station) == ["csr 1", "csr 2", "csr 3"]
    station.run(1000)
    assert len(csrs(station)) == 3
    assert "no certificate has come" in " ".join(station.logs())
    assert [effect.number for effect in station.wanted(ForgetKey)] == [1, 2, 3]


def test_a_csms_that_signs_nothing_is_asked_once() -> None:
    station = at_profile(P.BASIC)
    station.csms.signs = False
    asking(station)
    station.run(10_000)
    assert csrs(station) == ["csr 1"]


def test_what_was_asked_outlives_the_power() -> None:
    station = asking(at_profile(P.BASIC))
    again = station.power_cut()
    again.connect()
    assert sign(again, signed_pem(station)) == "Accepted"
    assert credentials(again).identity is not None


def test_a_key_that_was_not_made_before_the_power_cut_is_made_after_it() -> None:
    station = at_profile(P.BASIC)
    trigger(station, sm.ExtendedTrigger.SIGN_CHARGE_POINT_CERTIFICATE)
    again = station.power_cut()
    assert wanted_key(again).number == 2
    station.handle(KeyGenerated(number=7, csr="late", public_key="late"))
    assert station.wanted(ForgetKey)[-1] == ForgetKey(number=7)


def test_a_request_that_is_lost_with_the_link_is_said_again() -> None:
    station = at_profile(P.BASIC)
    station.csms.silent.add(sm.SignCertificate)
    asking(station)
    station.disconnect()
    station.csms.silent.clear()
    station.connect()
    assert csrs(station) == ["csr 1", "csr 1"]


def test_a_key_that_cannot_be_made_is_told() -> None:
    station = at_profile(P.BASIC)
    trigger(station, sm.ExtendedTrigger.SIGN_CHARGE_POINT_CERTIFICATE)
    station.handle(KeyGenerated(number=wanted_key(station).number, reason="the disk is full"))
    assert "the disk is full" in " ".join(station.logs())
    assert csrs(station) == []


@pytest.mark.parametrize(("days", "renewed_after_days"), [(365, 335), (30, 20)])
def test_a_certificate_is_renewed_a_month_before_it_ends_or_in_its_last_third(
    days: int, renewed_after_days: int
) -> None:
    own = fake_pem("CP-0001", issuer="Root", begins_at=EPOCH, ends_at=EPOCH + days * 86_400)
    station = made(replace(GIVEN_SECRETS, profile=P.MUTUAL_TLS, client_cert=own))
    station.csms.interval_s = 10_000_000
    station.connect()
    station.run((renewed_after_days - 1) * 86_400)
    assert station.wanted(GenerateKeyAndCsr) == []
    station.run(86_401)
    assert len(station.wanted(GenerateKeyAndCsr)) == 1


def test_while_pending_a_triggered_certificate_is_asked_for() -> None:
    station = made(replace(GIVEN_SECRETS, profile=P.BASIC))
    station.csms.registration = RegistrationStatus.PENDING
    station.connect()
    asking(station)
    assert csrs(station) == ["csr 1"]


# -- ExtendedTriggerMessage ------------------------------------------------------------------


def test_triggered_messages() -> None:
    station = at_profile(P.BASIC)
    for requested in sm.ExtendedTrigger:
        assert trigger(station, requested) == "Accepted"
    assert len(station.heard(BootNotification)) == 2
    assert station.heard(sm.LogStatusNotification) == [
        sm.LogStatusNotification(status=sm.LogStatus.IDLE)
    ]
    assert station.heard(sm.SignedFirmwareStatusNotification) == [
        sm.SignedFirmwareStatusNotification(status=sm.SignedFirmwareStatus.IDLE)
    ]
    assert trigger(station, sm.ExtendedTrigger.STATUS_NOTIFICATION, connector_id=9) == "Rejected"


# -- security events and their log -----------------------------------------------------------


def test_without_security_everyday_events_are_logged_and_not_told() -> None:
    station = online()
    station.ask(Reset(hard=True))
    station.connect()
    assert told(station) == []
    assert [entry.event.value for entry in security_log(station)] == [
        "StartupOfTheDevice",
        "ResetOrReboot",
        "StartupOfTheDevice",
    ]


def security_log(station: VirtualStation) -> list[LoggedEvent]:
    return station.station._parts.security._events.lines(None, None)


def test_with_security_they_are_told_in_order_and_after_the_boot() -> None:
    station = made(replace(GIVEN_SECRETS, profile=P.BASIC))
    for fault in (LinkFault.PASSWORD, LinkFault.TLS_VERSION, LinkFault.TLS_CIPHER_SUITE):
        station.run(10)
        station.disconnect("no", fault=fault)
    again = station.power_cut(dark_s=100)
    again.connect()
    assert again.heard(sm.SecurityEventNotification) == [
        sm.SecurityEventNotification(type=name, at=EPOCH + at, tech_info=text)
        for name, at, text in (
            ("StartupOfTheDevice", 0, None),
            ("FailedToAuthenticateAtCentralSystem", 10, "no"),
            ("InvalidTLSVersion", 20, "no"),
            ("InvalidTLSCipherSuite", 30, "no"),
            ("StartupOfTheDevice", 130, None),
        )
    ]
    assert isinstance(again.csms.heard[0][1], BootNotification)


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (LinkFault.CSMS_CERTIFICATE, "InvalidCentralSystemCertificate"),
        (LinkFault.PASSWORD, "FailedToAuthenticateAtCentralSystem"),
        (LinkFault.CLIENT_CERTIFICATE, "FailedToAuthenticateAtCentralSystem"),
        (LinkFault.OWN_SECRETS, "InvalidChargePointCertificate"),
        (LinkFault.TLS_VERSION, "InvalidTLSVersion"),
        (LinkFault.TLS_CIPHER_SUITE, "InvalidTLSCipherSuite"),
    ],
)
def test_a_fault_of_the_link_is_one_event_however_often_it_is_tried(
    fault: LinkFault, name: str
) -> None:
    station = made(replace(GIVEN_SECRETS, profile=P.TLS))
    refuse(station, 5, fault)
    station.connect()
    assert told(station).count(name) == 1
    station.disconnect("and again", fault=None)
    refuse(station, 5, fault)
    station.connect()
    assert told(station).count(name) == 2


def test_invalid_messages_are_told_and_a_flood_of_them_is_counted() -> None:
    station = at_profile(P.BASIC)
    for number in range(1000):
        station.handle(InvalidMessageHeard(complaint=f"not JSON: {number}"))
    station.run(61)
    station.handle(InvalidMessageHeard(complaint="x" * 300))
    first, second = (
        request.tech_info or ""
        for request in station.heard(sm.SecurityEventNotification)
        if request.type == "InvalidMessages"
    )
    assert first == "not JSON: 0"
    assert second.endswith("xxx (999 more since the last one told)")
    assert len(second) == 255


def test_somebody_opens_the_housing() -> None:
    station = at_profile(P.BASIC)
    name = "TamperDetectionActivated"
    station.handle(SecurityEventWanted(name=name, tech_info="the door"))
    assert told(station)[-1] == name
    assert security_log(station)[-1].tech_info == "the door"
    with pytest.raises(NotAllowedError, match="there is no security event Fire: FirmwareUpdated, "):
        station.handle(SecurityEventWanted(name="Fire"))


def test_without_security_invalid_messages_are_only_logged() -> None:
    station = online()
    station.handle(InvalidMessageHeard(complaint="not JSON"))
    assert told(station) == []
    assert security_log(station)[-1].tech_info == "not JSON"


def test_a_link_that_is_lost_is_no_security_event() -> None:
    station = at_profile(P.TLS)
    station.disconnect("connection lost")
    station.connect()
    assert told(station) == ["StartupOfTheDevice"]


def test_events_may_be_switched_off_and_are_logged_all_the_same() -> None:
    station = at_profile(P.TLS, DisableSecurityEventNotifications="true")
    install(station, OTHER)
    assert told(station) == []
    assert security_log(station)[-1].event.value == "ReconfigurationOfSecurityParameters"


def test_a_clock_that_is_set_and_firmware_without_a_signature() -> None:
    station = made(replace(GIVEN_SECRETS, profile=P.TLS))
    station.csms.clock_offset_s = 3600
    station.connect()
    station.ask(UpdateFirmware(location="ftp://h/fw-2.0.bin", retrieve_at=station.now))
    number = station.wanted(Download)[-1].number
    image = FirmwareImage(file_name="fw-2.0.bin", size_bytes=9, sha256="00", first_line="")
    station.handle(TransferEnded(number=number, ok=True, image=image))
    station.run(INSTALLATION_S)
    station.connect()
    assert [(r.type, r.tech_info) for r in station.heard(sm.SecurityEventNotification)] == [
        ("StartupOfTheDevice", None),
        ("SettingSystemTime", "by +3600 s"),
        ("ResetOrReboot", None),
        ("StartupOfTheDevice", None),
        ("FirmwareUpdated", "2.0"),
    ]


def test_an_event_that_is_lost_with_the_link_is_told_again() -> None:
    station = made(replace(GIVEN_SECRETS, profile=P.TLS))
    station.csms.silent.add(sm.SecurityEventNotification)
    station.connect()
    station.disconnect()
    station.csms.silent.clear()
    station.connect()
    assert told(station) == ["StartupOfTheDevice", "StartupOfTheDevice"]


def test_the_log_outlives_the_power_and_forgets_the_oldest() -> None:
    station = at_profile(P.TLS)
    for number in range(LOG_LENGTH + 5):
        install(station, fake_pem("R")) if number % 2 else delete_last(station)
    kept = security_log(station.power_cut())
    assert len(kept) == LOG_LENGTH
    assert kept[-1].event.value == "StartupOfTheDevice"
    assert sum(key.startswith("security/log/") for key in station.stored) <= LOG_LENGTH


def delete_last(station: VirtualStation) -> None:
    delete(station, installed(station)[-1])


# -- GetLog ----------------------------------------------------------------------------------


def get_log(station: VirtualStation, **changes: Any) -> sm.GetLogAnswer:
    fields: dict[str, Any] = {
        "request_id": 7,
        "log_type": sm.LogType.SECURITY,
        "location": "ftp://h/",
        "retries": 0,
    }
    answer = station.ask(sm.GetLog(**(fields | changes)))
    assert isinstance(answer, sm.GetLogAnswer)
    return answer


def log_statuses(station: VirtualStation) -> list[tuple[str, int | None]]:
    return [(r.status.value, r.request_id) for r in station.heard(sm.LogStatusNotification)]


def end(station: VirtualStation, *, ok: bool = True) -> None:
    number = station.wanted(Upload)[-1].number
    station.handle(TransferEnded(number=number, ok=ok, reason="" if ok else "refused"))


def test_the_security_log_is_uploaded() -> None:
    station = at_profile(P.TLS)
    answer = get_log(station)
    upload = station.wanted(Upload)[-1]
    assert answer == sm.GetLogAnswer(
        status=sm.GetLogStatus.ACCEPTED, file_name="CP-0001-security-20231114T221320Z.txt.gz"
    )
    assert (upload.file_name, upload.with_log) == (answer.file_name, False)
    assert "2023-11-14T22:13:20.000+00:00 StartupOfTheDevice" in upload.report
    end(station)
    assert log_statuses(station) == [("Uploading", 7), ("Uploaded", 7)]


def test_the_diagnostics_log_is_uploaded() -> None:
    station = at_profile(P.TLS)
    get_log(station, log_type=sm.LogType.DIAGNOSTICS, start_at=EPOCH, stop_at=EPOCH)
    upload = station.wanted(Upload)[-1]
    assert "[configuration]" in upload.report
    assert (upload.with_log, upload.log_from, upload.log_to) == (True, EPOCH, EPOCH)


def test_a_time_of_which_there_is_no_log_is_rejected() -> None:
    station = at_profile(P.TLS)
    assert get_log(station, start_at=EPOCH + 10).status is sm.GetLogStatus.REJECTED
    assert get_log(station, start_at=EPOCH, stop_at=EPOCH - 1).status is sm.GetLogStatus.REJECTED
    assert station.wanted(Upload) == []


def test_a_failed_upload_is_tried_again_and_given_up() -> None:
    station = at_profile(P.TLS)
    get_log(station, retries=1, retry_interval_s=10)
    end(station, ok=False)
    station.run(10)
    assert len(station.wanted(Upload)) == 2
    end(station, ok=False)
    station.run(100)
    assert log_statuses(station) == [("Uploading", 7), ("UploadFailure", 7)]


def test_a_location_that_can_never_be_reached_is_not_tried_again() -> None:
    station = at_profile(P.TLS)
    get_log(station, retries=5, retry_interval_s=10)
    number = station.wanted(Upload)[-1].number
    fault = TransferFault.NOT_SUPPORTED
    station.handle(
        TransferEnded(number=number, ok=False, reason="sftp", fault=fault, hopeless=True)
    )
    station.run(1000)
    assert len(station.wanted(Upload)) == 1
    assert log_statuses(station) == [("Uploading", 7), ("NotSupportedOperation", 7)]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (TransferFault.BAD_MESSAGE, "BadMessage"),
        (TransferFault.DENIED, "PermissionDenied"),
        (TransferFault.NOT_SUPPORTED, "NotSupportedOperation"),
    ],
)
def test_a_failed_upload_says_what_is_wrong(fault: TransferFault, status: str) -> None:
    station = at_profile(P.TLS)
    get_log(station)
    number = station.wanted(Upload)[-1].number
    station.handle(TransferEnded(number=number, ok=False, reason="refused", fault=fault))
    assert log_statuses(station) == [("Uploading", 7), (status, 7)]


def test_the_newest_request_goes_first() -> None:
    station = at_profile(P.TLS)
    get_log(station)
    assert get_log(station, request_id=8).status is sm.GetLogStatus.ACCEPTED_CANCELED
    assert len(station.wanted(CancelTransfer)) == 1
    trigger(station, sm.ExtendedTrigger.LOG_STATUS_NOTIFICATION)
    end(station)
    assert log_statuses(station) == [
        ("Uploading", 7),
        ("UploadFailure", 7),
        ("Uploading", 8),
        ("Uploading", 8),
        ("Uploaded", 8),
    ]


def test_an_upload_that_a_restart_interrupts_has_failed() -> None:
    station = at_profile(P.TLS)
    get_log(station)
    again = station.power_cut()
    again.connect()
    assert log_statuses(again)[-1] == ("UploadFailure", 7)
    assert log_statuses(again.power_cut())[-1] == ("UploadFailure", 7)


# -- an idle station stays idle --------------------------------------------------------------


def test_security_alone_neither_wakes_a_station_nor_asks_for_certificates() -> None:
    station = online(HeartbeatInterval="0")
    station.csms.interval_s = 0
    reader = station.certificates
    assert isinstance(reader, FakeReader)
    assert reader.asked == 0
    assert station.station._parts.security.next_deadline() is None
    persisted = [e for e in station.wanted(Persist) if e.key.startswith("security/")]
    assert [effect.key for effect in persisted] == ["security/log/000000000001"]


def test_nothing_of_all_this_is_an_error() -> None:
    station = at_profile(P.MUTUAL_TLS)
    assert [effect for effect in _logs(station) if effect.level is LogLevel.ERROR] == []


def _logs(station: VirtualStation) -> list[Any]:
    return [effect for _, effect in station.effects if hasattr(effect, "level")]
