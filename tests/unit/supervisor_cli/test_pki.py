"""Certificates for tests: what they say, where they are, and that TLS believes them or not."""

import hashlib
import json
import socket
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cp_image.core.certificates import split_pem
from cp_image.shell.x509_reader import verify_chain, verify_signature
from supervisor_cli.certificate_description import describe
from supervisor_cli.certificates import CertificateError, KeyKind, Validity, When
from supervisor_cli.errors import SimuError
from supervisor_cli.pki import Pki, default_directory, usual_names
from tests.unit.supervisor_cli.conftest import Simuctl

NAMES = ("localhost", "127.0.0.1", "::1")


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = Pki.create(tmp_path / "pki")
    made.issue_csms(NAMES)
    return made


def handshake(pki: Pki, client: ssl.SSLContext, host: str, *, mutual: bool = False) -> None:
    """Shake hands in memory; raises what the client's side raises."""
    server = pki.server_context(require_client_certificate=mutual)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    open_ends = list(ends)
    for _ in range(10):
        for end in tuple(open_ends):
            try:
                end.do_handshake()
                open_ends.remove(end)
            except ssl.SSLWantReadError:
                continue
        if not open_ends:
            return
    raise AssertionError("the handshake does not end")


def trusting(pki: Pki) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pki.root_ca))


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("host", NAMES)
def test_tls_believes_the_csms_under_each_of_its_names(
    tmp_path: Path, kind: KeyKind, host: str
) -> None:
    pki = Pki.create(tmp_path, kind)
    pki.issue_csms(NAMES, kind)
    handshake(pki, trusting(pki), host)


@pytest.mark.parametrize(
    ("host", "when", "reason"),
    [
        ("elsewhere.example.com", When.NOW, "Hostname mismatch"),
        ("localhost", When.EXPIRED, "certificate has expired"),
        ("localhost", When.NOT_YET, "certificate is not yet valid"),
    ],
)
def test_tls_does_not_believe_a_csms_whose(pki: Pki, host: str, when: When, reason: str) -> None:
    pki.issue_csms(NAMES, validity=Validity.of(30, when))
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        handshake(pki, trusting(pki), host)


def test_tls_does_not_believe_the_csms_of_another_pki(pki: Pki, tmp_path: Path) -> None:
    other = Pki.create(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        handshake(pki, trusting(other), "localhost")


def test_the_csms_believes_a_charge_point_of_its_pki(pki: Pki) -> None:
    pki.issue_charge_point("CP.1", KeyKind.RSA)
    client = trusting(pki)
    client.load_cert_chain(*pki.charge_point("CP.1"))
    handshake(pki, client, "localhost", mutual=True)


def test_the_csms_believes_no_charge_point_of_another_pki(pki: Pki, tmp_path: Path) -> None:
    other = Pki.create(tmp_path / "other")
    other.issue_charge_point("CP-1")
    client = trusting(pki)
    client.load_cert_chain(*other.charge_point("CP-1"))
    with pytest.raises(ssl.SSLError, match="certificate verify failed"):
        handshake(pki, client, "localhost", mutual=True)


def test_keys_are_their_owners_alone(pki: Pki) -> None:
    pki.issue_charge_point("CP-1")
    keys = sorted(pki.directory.rglob("*.key"))
    assert [path.name for path in keys] == ["CP-1.key", "csms.key", "root_ca.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_what_a_certificate_says(pki: Pki) -> None:
    pki.issue_charge_point("CP-1", KeyKind.RSA, Validity.of(10, When.EXPIRED))
    by_name = {path.name: found for path, found in pki.descriptions()}
    assert list(by_name) == ["root_ca.pem", "csms.pem", "CP-1.pem"]
    assert set(by_name["csms.pem"].names) == set(NAMES)
    charge_point = by_name["CP-1.pem"]
    assert charge_point.subject.startswith("CN=CP-1,")
    assert charge_point.issuer == by_name["root_ca.pem"].subject
    assert charge_point.key == "RSA 2048"
    assert by_name["csms.pem"].key == "EC secp256r1"
    assert charge_point.when is When.EXPIRED
    assert by_name["csms.pem"].when is When.NOW


def test_a_pki_is_not_replaced_by_accident(pki: Pki) -> None:
    before = pki.root_ca.read_bytes()
    with pytest.raises(SimuError, match="holds a PKI already"):
        Pki.create(pki.directory)
    assert pki.root_ca.read_bytes() == before
    Pki.create(pki.directory, replace=True)
    assert pki.root_ca.read_bytes() != before


def test_no_file_is_named_by_what_is_no_id(pki: Pki) -> None:
    with pytest.raises(SimuError, match="is no charge point id"):
        pki.issue_charge_point("../../etc/passwd")


# -- an authority between -----------------------------------------------------------------------


@pytest.fixture
def deep(tmp_path: Path) -> Pki:
    """Return a PKI whose root signs nothing but the authority that signs all else."""
    made = Pki.create(tmp_path / "deep", intermediate=True)
    made.issue_csms(NAMES)
    return made


def test_tls_believes_what_an_intermediate_authority_has_signed(deep: Pki) -> None:
    deep.issue_charge_point("CP-1")
    client = trusting(deep)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_cert_chain(*deep.charge_point("CP-1"))
    handshake(deep, client, "localhost", mutual=True)
    names = [path.name for path, _ in deep.descriptions()]
    assert names == ["root_ca.pem", "intermediate_ca.pem", "csms.pem", "CP-1.pem"]


def test_a_request_becomes_a_chain_that_leads_to_the_root(deep: Pki) -> None:
    chain = split_pem(deep.sign(request_for("CP-1"), ["CP-1"]))
    assert len(chain) == 2
    verify_chain(chain, [deep.root_ca.read_text()], datetime.now(UTC).timestamp())


def test_a_pki_that_is_replaced_forgets_the_authority_between(deep: Pki) -> None:
    again = Pki.create(deep.directory, replace=True)
    assert [path.name for path, _ in again.descriptions()][:2] == ["root_ca.pem", "csms.pem"]
    again.issue_csms(NAMES)
    handshake(again, trusting(again), "localhost")


# -- firmware -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("intermediate", [False, True])
def test_a_charge_point_believes_firmware_that_was_signed(
    tmp_path: Path, kind: KeyKind, *, intermediate: bool
) -> None:
    pki = Pki.create(tmp_path / "pki", kind, intermediate=intermediate)
    pki.issue_firmware(kind)
    file = tmp_path / "fw-2.0.bin"
    file.write_bytes(bytes(range(256)) * 5000)
    signed = pki.sign_firmware(file)
    chain = split_pem(signed.signing_certificate)
    verify_chain(chain, [pki.root_ca.read_text()], datetime.now(UTC).timestamp())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    verify_signature(chain[0], signed.signature, digest)
    # What the request may hold at most.
    assert len(signed.signature) <= 800
    assert len(signed.signing_certificate) <= 5500


def test_firmware_is_signed_on_the_command_line(simuctl: Simuctl, tmp_path: Path) -> None:
    file = tmp_path / "fw.bin"
    file.write_bytes(b"firmware")
    simuctl("pki", "init")
    said = simuctl("pki", "sign-firmware", str(file))
    assert (said.code, said.out) == (1, "")
    assert "hint: simuctl pki issue --firmware" in said.err
    pki = Pki(default_directory("cp-simu"))
    said = simuctl("pki", "issue", "--firmware")
    assert said.out.split() == [str(path) for path in pki.firmware]
    said = simuctl("pki", "sign-firmware", str(file), "--json")
    fields = json.loads(said.out)
    assert fields["signingCertificate"] == pki.firmware[0].read_text()
    digest = hashlib.sha256(b"firmware").hexdigest()
    verify_signature(fields["signingCertificate"], fields["signature"], digest)
    said = simuctl("pki", "sign-firmware", str(file))
    verify_signature(fields["signingCertificate"], said.out.strip(), digest)
    said = simuctl("pki", "sign-firmware", str(tmp_path / "none"))
    assert (said.code, said.out) == (1, "")
    assert "No such file" in said.err


# -- signing requests ---------------------------------------------------------------------------


def request_for(common_name: str) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_a_request_becomes_a_certificate_of_the_root(pki: Pki) -> None:
    made = pki.sign(request_for("CP-1"), ["CP-1"]).encode()
    root = x509.load_pem_x509_certificate(pki.root_ca.read_bytes())
    x509.load_pem_x509_certificate(made).verify_directly_issued_by(root)
    assert describe(made).subject == "CN=CP-1"


def test_a_request_for_another_one_is_refused(pki: Pki) -> None:
    with pytest.raises(CertificateError, match="CN=CP-2: its common name must be one of CP-1"):
        pki.sign(request_for("CP-2"), ["CP-1"])


def test_a_request_that_does_not_prove_its_key_is_refused(pki: Pki) -> None:
    body = bytearray(
        x509.load_pem_x509_csr(request_for("CP-1").encode()).public_bytes(
            serialization.Encoding.DER
        )
    )
    body[body.index(b"CP-1") + 3] = ord("2")  # what was signed said CP-1
    forged = x509.load_der_x509_csr(bytes(body)).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(CertificateError, match="not signed with its own key"):
        pki.sign(forged.decode(), ["CP-2"])


def test_what_is_no_request_is_refused(pki: Pki) -> None:
    with pytest.raises(CertificateError, match="cannot be read"):
        pki.sign("-----BEGIN CERTIFICATE REQUEST-----\nMII", ["CP-1"])


# -- the commands -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_was_made_as_json(simuctl: Simuctl, home: Path) -> None:
    made = json.loads(simuctl("pki", "init", "--json").out)
    pki = Pki(Path(made["directory"]))
    files = [each["file"] for each in made["certificates"]]
    assert files == [str(pki.root_ca), str(pki.csms[0])]
    (issued,) = json.loads(simuctl("pki", "issue", "CP-1", "--json").out)
    assert (issued["certificate"], issued["key"]) == tuple(map(str, pki.charge_point("CP-1")))


def test_init_issue_and_show(simuctl: Simuctl, home: Path) -> None:
    directory = default_directory("ci-1")
    assert directory == home / "cp-simu" / "ci-1" / "pki"
    said = simuctl("-e", "ci-1", "pki", "init", "--name", "csms.example.com", "--name", "10.0.0.7")
    assert (said.code, said.err) == (0, "")
    assert str(directory) in said.out
    said = simuctl("-e", "ci-1", "pki", "issue", "CP-1", "--not-yet-valid", "--days", "3", "--rsa")
    assert said.code == 0
    assert said.out.split() == [str(path) for path in Pki(directory).charge_point("CP-1")]
    said = simuctl("-e", "ci-1", "pki", "show")
    assert said.code == 0
    assert "(not yet valid)" in said.out
    said = simuctl("-e", "ci-1", "pki", "show", "--json")
    root, csms, charge_point = json.loads(said.out)
    assert root["subject"].startswith("CN=cp-simu test root CA")
    assert set(csms["names"]) == {*usual_names(), "csms.example.com", "10.0.0.7"}
    assert socket.gethostname() in csms["names"]
    assert (charge_point["valid"], charge_point["key"]) == ("not-yet", "RSA 2048")
    assert charge_point["sha256"] == describe(Path(charge_point["file"]).read_bytes()).sha256


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["show"], 1, "holds no PKI"),
        (["issue", "CP-1"], 1, "holds no PKI"),
        (["issue"], 2, "nothing is asked for"),
        (["sign-firmware", "fw.bin"], 1, "holds no PKI"),
        (["issue", "CP-1", "--name", "x"], 2, "--name goes with --csms"),
        (["issue", "CP-1", "--expired", "--not-yet-valid"], 2, "exclude each other"),
        (["init", "--name", "\u00fc" * 70], 1, "is neither a host name nor an IP address"),
    ],
)
def test_what_is_refused(simuctl: Simuctl, words: list[str], code: int, text: str) -> None:
    said = simuctl("pki", *words)
    assert said.code == code
    assert text in said.err


def test_a_broken_certificate_is_named(simuctl: Simuctl) -> None:
    simuctl("pki", "init")
    broken = default_directory("cp-simu") / "csms.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nMII")
    said = simuctl("pki", "show")
    assert said.code == 1
    assert str(broken) in said.err
