"""Keys, CSRs, chains and signatures, all of them real."""

import base64
import hashlib
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import ocsp

from cp_image.core.certificates import CertificateError, split_pem
from cp_image.core.identity import KeyKind
from cp_image.core.security_messages import HashAlgorithm
from cp_image.shell.certificates import Certificates
from cp_image.shell.key_maker import make_key
from cp_image.shell.secret_files import SecretFiles
from tests.support.certificates import DAY, NOW, Authority, pem_of, sign, weak_key

AT = NOW.timestamp()
READER = Certificates()
ROOT = Authority.shared()
FILE = b"firmware-version: 2.0.1\n" * 100
DIGEST = hashlib.sha256(FILE).hexdigest()


@pytest.mark.parametrize("kind", list(KeyKind))
@pytest.mark.parametrize("organization", ["", "Operator"])
def test_a_key_and_its_csr(kind: KeyKind, organization: str) -> None:
    made = make_key(kind, "CP-1", organization)
    csr = x509.load_pem_x509_csr(made.csr.encode())
    assert csr.is_signature_valid
    names = {name.oid: name.value for name in csr.subject}
    assert names.pop(x509.NameOID.COMMON_NAME) == "CP-1"
    assert names == ({x509.NameOID.ORGANIZATION_NAME: organization} if organization else {})
    key = serialization.load_pem_private_key(made.private_key, password=None)
    assert key.public_key() == csr.public_key()
    if kind is KeyKind.EC_P256:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert isinstance(key.curve, ec.SECP256R1)
    else:
        assert isinstance(key, rsa.RSAPrivateKey)
        assert key.key_size == 2048
    facts = READER.read(ROOT.sign_csr(made.csr))
    assert (facts.common_name, facts.organization) == ("CP-1", organization)
    assert facts.public_key == made.public_key
    assert not facts.is_ca
    assert "PRIVATE" not in repr(made)


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        (HashAlgorithm.SHA256, hashes.SHA256()),
        (HashAlgorithm.SHA384, hashes.SHA384()),
        (HashAlgorithm.SHA512, hashes.SHA512()),
    ],
)
def test_a_certificate_is_named_as_ocsp_names_it(
    algorithm: HashAlgorithm, kind: hashes.HashAlgorithm
) -> None:
    for key in (
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
    ):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "R")])
        root = sign(subject=name, public_key=key.public_key(), issuer=name, key=key, ca=True)
        asked = ocsp.OCSPRequestBuilder().add_certificate(root, root, _sha1_or(kind)).build()
        named = READER.name(pem_of(root), [ROOT.pem, pem_of(root)], algorithm)
        assert named.issuer_name_hash == asked.issuer_name_hash.hex()
        assert named.issuer_key_hash == asked.issuer_key_hash.hex()
        assert int(named.serial_number, 16) == root.serial_number
        assert len(named.serial_number) <= 40


def test_a_certificate_is_named_by_the_key_of_its_issuer_where_that_is_known() -> None:
    heir = Authority("Heir", issuer=ROOT)
    asked = ocsp.OCSPRequestBuilder().add_certificate(
        heir.certificate, ROOT.certificate, hashes.SHA256()
    )
    named = READER.name(heir.pem, [heir.pem, ROOT.pem], HashAlgorithm.SHA256)
    assert named.issuer_key_hash == asked.build().issuer_key_hash.hex()
    assert named.issuer_name_hash == asked.build().issuer_name_hash.hex()
    alone = READER.name(heir.pem, [heir.pem], HashAlgorithm.SHA256)
    assert alone.issuer_name_hash == named.issuer_name_hash
    assert alone.issuer_key_hash != named.issuer_key_hash


def _sha1_or(kind: hashes.HashAlgorithm) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    assert isinstance(kind, (hashes.SHA256, hashes.SHA384, hashes.SHA512))
    return kind


def test_chains_that_lead_to_a_root() -> None:
    between = Authority("Between", issuer=ROOT)
    deep = Authority("Deep", issuer=between)
    READER.verify_chain([ROOT.issue("CP-1").pem], [ROOT.pem], AT)
    chain = [*split_pem(deep.issue("CP-1").pem), between.pem]
    READER.verify_chain(chain, [Authority("Other").pem, ROOT.pem], AT)
    READER.verify_chain([chain[0], *reversed(chain[1:])], [ROOT.pem], AT)
    READER.verify_chain(chain[:1], [deep.pem], AT)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Authority("Stranger").issue("CP-1").pem, "does not come from a root"),
        (lambda: ROOT.issue("CP-1", begins=NOW - 9 * DAY, ends=NOW - DAY).pem, "has expired on"),
        (lambda: ROOT.issue("CP-1", begins=NOW + DAY).pem, "is not valid before"),
        (lambda: ROOT.issue("CP-1", key=weak_key()).pem, "its RSA key has 1024 bits"),
        (lambda: ROOT.pem[:300], "no whole PEM"),
        (
            lambda: ROOT.issue("CP-1", key=ec.generate_private_key(ec.SECP192R1())).pem,
            "its EC key has 192 bits",
        ),
    ],
)
def test_chains_that_are_no_good(make: Callable[[], str], words: str) -> None:
    with pytest.raises(CertificateError, match=words):
        READER.verify_chain([make()], [ROOT.pem], AT)


def test_who_is_no_authority_vouches_for_nobody() -> None:
    leaf = ROOT.issue("Not an authority")
    forged = sign(
        subject=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CP-1")]),
        public_key=ec.generate_private_key(ec.SECP256R1()).public_key(),
        issuer=leaf.certificate.subject,
        key=leaf.key,
    )
    with pytest.raises(CertificateError, match="does not come from a root"):
        READER.verify_chain([pem_of(forged), leaf.pem], [ROOT.pem], AT)


def test_a_chain_whose_authority_has_expired() -> None:
    between = Authority("Between", issuer=ROOT)
    chain = split_pem(between.issue("CP-1", ends=NOW + 9999 * DAY).pem)
    late = datetime.now(UTC) + 400 * DAY
    with pytest.raises(CertificateError, match="'Between' has expired"):
        READER.verify_chain(chain, [ROOT.pem], late.timestamp())


def test_a_chain_whose_root_has_expired() -> None:
    late = datetime.now(UTC) + 400 * DAY
    chain = [ROOT.issue("CP-1", ends=NOW + 9999 * DAY).pem]
    with pytest.raises(CertificateError, match="'Shared root' has expired"):
        READER.verify_chain(chain, [ROOT.pem], late.timestamp())


def test_an_endless_chain_ends() -> None:
    chain = [ROOT.issue("CP-1").pem] + [Authority(f"A{number}").pem for number in range(30)]
    with pytest.raises(CertificateError):
        READER.verify_chain(chain, [Authority("Other").pem], AT)


# -- signatures ------------------------------------------------------------------------------


def _ec(content: bytes) -> tuple[str, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    return ROOT.issue("Signer", key=key).pem, key.sign(content, ec.ECDSA(hashes.SHA256()))


def _pss(content: bytes) -> tuple[str, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    return ROOT.issue("Signer", key=key).pem, key.sign(content, pss, hashes.SHA256())


def _pkcs1(content: bytes) -> tuple[str, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        ROOT.issue("Signer", key=key).pem,
        key.sign(content, padding.PKCS1v15(), hashes.SHA256()),
    )


@pytest.mark.parametrize("way", [_ec, _pss, _pkcs1])
def test_signatures(way: Callable[[bytes], tuple[str, bytes]]) -> None:
    certificate, signature = way(FILE)
    text = base64.b64encode(signature).decode()
    READER.verify_signature(certificate, text, DIGEST)
    READER.verify_signature(certificate, f"{text[:64]}\n{text[64:]}\n", DIGEST)
    with pytest.raises(CertificateError, match="another key, or was changed"):
        READER.verify_signature(certificate, text, hashlib.sha256(FILE + b"!").hexdigest())
    with pytest.raises(CertificateError, match="another key, or was changed"):
        READER.verify_signature(ROOT.issue("Thief").pem, text, DIGEST)
    with pytest.raises(CertificateError, match="not base64"):
        READER.verify_signature(certificate, "?", DIGEST)


def test_a_signature_with_a_key_of_another_kind() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Signer")])
    certificate = sign(subject=name, public_key=key.public_key(), issuer=name, key=ROOT.key)
    with pytest.raises(CertificateError, match="neither an EC nor an RSA key"):
        READER.verify_signature(pem_of(certificate), "AAAA", DIGEST)


# -- files and memory ------------------------------------------------------------------------


def test_keys_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path / "secrets")
    files.keep_key(3, b"private")
    path = files.made_key(3)
    assert path.read_bytes() == b"private"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    chain = files.chain_of(3, "chain")
    assert chain.read_text() == "chain"
    assert files.chain_of(3, "another").read_text() == "another"
    files.forget_key(3)
    files.forget_key(3)
    assert list(path.parent.iterdir()) == []


def test_a_charge_point_without_certificates_does_not_load_cryptography(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from cp_image import config
from cp_image.shell import charge_point
from cp_image.shell.store import Store

async def main():
    read = config.read({{
        "SIMU_CENTRAL_SYSTEM": "ws://127.0.0.1:1",
        "SIMU_STATE_DIRECTORY": {str(tmp_path)!r},
        "SIMU_LOG_LEVEL": "error",
    }}, "CP-1")
    with Store(read.state_directory) as store:
        runner = charge_point.build(read, store, make_link=charge_point.link_factory(read))
        task = asyncio.create_task(runner.run())
        await asyncio.sleep(0)
        runner.stop()
        await task

asyncio.run(main())
print([name for name in sys.modules if name.split(".")[0] in ("cryptography", "_cffi_backend")])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
