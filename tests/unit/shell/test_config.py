"""The environment becomes a configuration, or a line for each wrong variable."""

from pathlib import Path

import pytest

from cp_image import config
from cp_image.api.payloads import ChargePointType
from cp_image.api.secrets import SecurityProfile, TlsVerification
from cp_image.config import ConfigError
from cp_image.core.effects import LogLevel
from cp_image.core.identity import KeyKind
from cp_image.core.script_settings import ScriptSettings, Span
from cp_image.log_lines import LogFormat
from cp_image.mqtt_link import BrokerAddress
from cp_image.script_variables import SCRIPT_VARIABLES
from cp_image.variables import VARIABLES, describe, unknown

CSMS = {"SIMU_CENTRAL_SYSTEM": "ws://localhost:9000/ocpp"}


def test_the_csms_alone_is_enough() -> None:
    assert config.read(CSMS, "box-1") == config.Config(
        id="box-1",
        central_system="ws://localhost:9000/ocpp",
        type=ChargePointType.AC,
        vendor="cp-simu",
        model="Simulated CP",
        serial="",
        nb_connectors=1,
        nb_phases=1,
        voltage=230.0,
        frequency=50.0,
        max_setpoint=32.0,
        max_setpoint_per_connector=32.0,
        broker=None,
        environment=None,
        topic_root="cp_simu",
        state_directory=Path("/data"),
        csms_proxy=None,
        container="",
        seed="0",
        clock_rate=1.0,
        clock_start=None,
        configuration={},
        security_profile=SecurityProfile.NONE,
        authorization_user=None,
        tls_verification=TlsVerification.FULL,
        key_kind=KeyKind.EC_P256,
        localhost_proxy=None,
        script=ScriptSettings(
            idle_s=Span(least=30.0, most=120.0),
            handling_s=Span(least=2.0, most=10.0),
            charge_s=Span(least=60.0, most=300.0),
            consumption=Span(least=6.0, most=32.0),
            id_tags=("TAG1", "TAG2", "TAG3"),
            sessions=0,
        ),
        log_level=LogLevel.INFO,
        log_format=LogFormat.TEXT,
    )


def test_everything_set() -> None:
    environ = CSMS | {
        "SIMU_ID": "CP_0.1-x",
        "SIMU_TYPE": "AC",
        "SIMU_VENDOR": "Open OCPP AC",
        "SIMU_MODEL": "M",
        "SIMU_SERIAL": "S/NABCD1234",
        "SIMU_NB_CONNECTORS": "2",
        "SIMU_NB_PHASES": "3",
        "SIMU_VOLTAGE": "231.5",
        "SIMU_FREQUENCY": "60",
        "SIMU_MAX_SETPOINT": "63",
        "SIMU_MAX_SETPOINT_PER_CONNECTOR": "3.2e1",
        "SIMU_BROKER": "broker:1884",
        "SIMU_TOPIC_ROOT": "ci_7/simu",
        "SIMU_STATE_DIRECTORY": "/var/x",
        "SIMU_CSMS_PROXY": "http://172.17.0.1:3128",
        "SIMU_CONTAINER": "cp-simu.CP",
        "SIMU_SEED": "s",
        "SIMU_CLOCK_RATE": "60",
        "SIMU_CLOCK_START": "2026-01-31T13:00:00+01:00",
        "SIMU_CONFIGURATION": '{"HeartbeatInterval":"60"}',
        "SIMU_LOG_LEVEL": "debug",
    }
    read = config.read(environ, "box")
    assert (read.id, read.nb_connectors, read.nb_phases) == ("CP_0.1-x", 2, 3)
    assert (read.voltage, read.frequency, read.max_setpoint) == (231.5, 60.0, 63.0)
    assert read.max_setpoint_per_connector == 32.0
    assert read.broker == BrokerAddress(host="broker", port=1884)
    assert read.csms_proxy == "http://172.17.0.1:3128"
    assert read.log_level is LogLevel.DEBUG
    assert (read.clock_rate, read.clock_start) == (60.0, 1_769_860_800.0)
    assert read.configuration == {"HeartbeatInterval": "60"}


def test_dc_has_one_phase_and_its_own_defaults() -> None:
    read = config.read(CSMS | {"SIMU_TYPE": "DC", "SIMU_NB_PHASES": "3"}, "box")
    assert (read.nb_phases, read.voltage, read.max_setpoint) == (1, 400.0, 150_000.0)


def test_empty_counts_as_unset() -> None:
    read = config.read(CSMS | {"SIMU_VENDOR": "", "SIMU_BROKER": "", "SIMU_ID": ""}, "box")
    assert (read.vendor, read.broker, read.id) == ("cp-simu", None, "box")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("h", "h", 1883), ("127.0.0.1:1", "127.0.0.1", 1), ("[::1]:1884", "::1", 1884)],
)
def test_brokers(text: str, host: str, port: int) -> None:
    read = config.read(CSMS | {"SIMU_BROKER": text}, "box")
    assert read.broker == BrokerAddress(host=host, port=port)


@pytest.mark.parametrize(
    "url",
    [
        "ws://h",
        "wss://h:443/a/b/",
        "WS://h",
        "ws://me:secret@h:1/x",
        "ws://[::1]:9000/ocpp",
        "ws://csms.example.com/ocpp/16",
    ],
)
def test_central_systems(url: str) -> None:
    assert config.read({"SIMU_CENTRAL_SYSTEM": url}, "box").central_system == url


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            ("SIMU_CENTRAL_SYSTEM", url)
            for url in (
                "http://h",
                "h:9000",
                "ws://",
                "ws:///x",
                "ws://h/x?y=1",
                "ws://h/x#y",
                "ws://h:port",
                "ws://h h",
                "ws://h/x\n",
                "ws://h/" + "x" * 600,
            )
        ),
        ("SIMU_CLOCK_RATE", "0"),
        ("SIMU_CLOCK_RATE", "nan"),
        ("SIMU_CLOCK_START", "yesterday"),
        ("SIMU_CLOCK_START", "2026-01-31T13:00:00"),
        ("SIMU_CONFIGURATION", "HeartbeatInterval=60"),
        ("SIMU_CONFIGURATION", '{"HeartbeatInterval":60}'),
        ("SIMU_ID", "a b"),
        ("SIMU_ID", "x" * 49),
        ("SIMU_ID", "a/b"),
        ("SIMU_ID", "a#"),
        ("SIMU_TYPE", "ac"),
        ("SIMU_VENDOR", "v" * 21),
        ("SIMU_VENDOR", "\udcff"),
        ("SIMU_SERIAL", "s" * 26),
        ("SIMU_NB_CONNECTORS", "0"),
        ("SIMU_NB_CONNECTORS", "101"),
        ("SIMU_NB_CONNECTORS", "1.5"),
        ("SIMU_NB_CONNECTORS", "two"),
        ("SIMU_NB_PHASES", "4"),
        ("SIMU_VOLTAGE", "0"),
        ("SIMU_VOLTAGE", "nan"),
        ("SIMU_FREQUENCY", "0"),
        ("SIMU_MAX_SETPOINT", "-1"),
        ("SIMU_MAX_SETPOINT", "inf"),
        ("SIMU_BROKER", "h:0"),
        ("SIMU_BROKER", "h:65536"),
        ("SIMU_BROKER", "mqtt://h"),
        ("SIMU_ENVIRONMENT", "CI"),
        ("SIMU_TOPIC_ROOT", "a/#"),
        ("SIMU_TOPIC_ROOT", "/a"),
        ("SIMU_TOPIC_ROOT", "{id}"),
        ("SIMU_CSMS_PROXY", "gateway:3128"),
        ("SIMU_LOG_LEVEL", "loud"),
        ("SIMU_LOG_FORMAT", "xml"),
        ("SIMU_LOCALHOST_PROXY", "gateway"),
        ("SIMU_SCRIPT", "yes"),
        ("SIMU_SCRIPT_IDLE_S", "0"),
        ("SIMU_SCRIPT_IDLE_S", "9-5"),
        ("SIMU_SCRIPT_HANDLING_S", "-5"),
        ("SIMU_SCRIPT_CHARGE_S", "1e3"),
        ("SIMU_SCRIPT_CHARGE_S", "1-99999999"),
        ("SIMU_SCRIPT_CONSUMPTION", "16 A"),
        ("SIMU_SCRIPT_ID_TAGS", "A,,B"),
        ("SIMU_SCRIPT_ID_TAGS", "x" * 21),
        ("SIMU_SCRIPT_SESSIONS", "-1"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_rule(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.read(CSMS | {name: text}, "box")
    (problem,) = caught.value.problems
    known = (*VARIABLES, *SCRIPT_VARIABLES)
    rule = next(variable.rule for variable in known if variable.name == name)
    assert problem == f"{name}={text!r} is not allowed: {rule}"


def test_every_wrong_variable_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        config.read({"SIMU_NB_PHASES": "9", "SIMU_TYPE": "XC"}, "host name")
    assert [problem.split(" ")[0].split("=")[0] for problem in caught.value.problems] == [
        "SIMU_CENTRAL_SYSTEM",
        "SIMU_ID",
        "SIMU_TYPE",
        "SIMU_NB_PHASES",
    ]


def test_every_variable_is_described() -> None:
    text = describe()
    assert all(variable.name in text for variable in (*VARIABLES, *SCRIPT_VARIABLES))
    assert {variable.field for variable in VARIABLES} == set(config.Config.__struct_fields__)


@pytest.mark.parametrize("profile", list(SecurityProfile))
def test_security(profile: SecurityProfile) -> None:
    environ = {
        "SIMU_CENTRAL_SYSTEM": "wss://h",
        "SIMU_SECURITY_PROFILE": str(profile.value),
        "SIMU_AUTHORIZATION_USER": "some body",
        "SIMU_TLS_VERIFICATION": "no-host-name",
        "SIMU_KEY_KIND": "rsa-2048",
    }
    read = config.read(environ, "box")
    assert read.security_profile is profile
    assert read.authorization_user == "some body"
    assert read.tls_verification is TlsVerification.NO_HOST_NAME
    assert read.key_kind is KeyKind.RSA_2048


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SIMU_SECURITY_PROFILE", "4"),
        ("SIMU_SECURITY_PROFILE", "-1"),
        ("SIMU_SECURITY_PROFILE", "tls"),
        ("SIMU_AUTHORIZATION_USER", "a:b"),
        ("SIMU_TLS_VERIFICATION", "off"),
        ("SIMU_KEY_KIND", "dsa"),
    ],
)
def test_security_that_there_is_not(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config.read(CSMS | {name: text}, "box")
    (problem,) = refused.value.problems
    assert problem.startswith(f"{name}={text!r} is not allowed: ")


@pytest.mark.parametrize("profile", ["2", "3"])
def test_a_profile_with_tls_goes_with_a_url_with_tls(profile: str) -> None:
    environ = {
        "SIMU_CENTRAL_SYSTEM": "ws://me:word@h",
        "SIMU_SECURITY_PROFILE": profile,
    }
    with pytest.raises(ConfigError, match="goes with a wss:// URL") as refused:
        config.read(environ, "box")
    assert "word" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("AuthorizationKey", "it is a secret, the file authorization_key holds it"),
        ("authorizationkey", "it is a secret, the file authorization_key holds it"),
        ("SecurityProfile", "SIMU_SECURITY_PROFILE says it"),
    ],
)
def test_secrets_do_not_stand_in_the_environment(key: str, words: str) -> None:
    environ = CSMS | {"SIMU_CONFIGURATION": f'{{"{key}":"hush"}}'}
    with pytest.raises(ConfigError, match=words) as refused:
        config.read(environ, "box")
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, "box-1"), ("", "box-1"), ("CP-{hostname}", "CP-box-1"), ("CP-7", "CP-7")],
)
def test_the_id_can_come_from_the_host_name(given: str | None, expected: str) -> None:
    environ = CSMS if given is None else CSMS | {"SIMU_ID": given}
    assert config.read(environ, "box-1").id == expected


@pytest.mark.parametrize(
    ("variables", "root"),
    [
        ({}, "cp_simu"),
        ({"SIMU_ENVIRONMENT": "ci-42"}, "ci_42"),
        ({"SIMU_ENVIRONMENT": "ci-42", "SIMU_TOPIC_ROOT": "a/b"}, "a/b"),
    ],
)
def test_an_environment_settles_the_topic_root(variables: dict[str, str], root: str) -> None:
    assert config.read(CSMS | variables, "box").topic_root == root


@pytest.mark.parametrize(
    ("mode", "broker", "scripted"),
    [
        ("", "", True),
        ("", "broker", False),
        ("auto", "", True),
        ("on", "broker", True),
        ("off", "", False),
    ],
)
def test_who_has_no_broker_charges_on_its_own(mode: str, broker: str, scripted: bool) -> None:
    read = config.read(CSMS | {"SIMU_SCRIPT": mode, "SIMU_BROKER": broker}, "box")
    assert (read.script is not None) is scripted


def test_the_script_of_a_dc_charge_point() -> None:
    environ = CSMS | {
        "SIMU_TYPE": "DC",
        "SIMU_SCRIPT_IDLE_S": "5",
        "SIMU_SCRIPT_CHARGE_S": "60-90.5",
        "SIMU_SCRIPT_ID_TAGS": "ALICE, BOB",
        "SIMU_SCRIPT_SESSIONS": "3",
    }
    assert config.read(environ, "box").script == ScriptSettings(
        idle_s=Span(least=5.0, most=5.0),
        handling_s=Span(least=2.0, most=10.0),
        charge_s=Span(least=60.0, most=90.5),
        consumption=Span(least=20_000.0, most=150_000.0),
        id_tags=("ALICE", "BOB"),
        sessions=3,
    )


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("ws://localhost:9000/ocpp", "http://10.0.0.1:17016"),
        ("ws://a.LOCALHOST", "http://10.0.0.1:17016"),
        ("wss://127.0.0.1", "http://10.0.0.1:17016"),
        ("ws://[::1]:9000", "http://10.0.0.1:17016"),
        ("ws://csms:9000/ocpp", None),
        ("ws://localhost.example.com", None),
    ],
)
def test_a_csms_on_localhost_has_a_proxy_of_its_own(url: str, proxy: str | None) -> None:
    environ = {"SIMU_CENTRAL_SYSTEM": url, "SIMU_LOCALHOST_PROXY": "http://10.0.0.1:17016"}
    assert config.read(environ, "box").csms_proxy == proxy
    explicit = environ | {"SIMU_CSMS_PROXY": "http://proxy:3128"}
    assert config.read(explicit, "box").csms_proxy == "http://proxy:3128"


def test_a_misspelt_variable_is_told() -> None:
    assert unknown({"SIMU_LOG_FROMAT": "json", "SIMU_OF_SOMEBODY_ELSE": "", "PATH": "/"}) == [
        "SIMU_LOG_FROMAT is no variable of a charge point (did you mean SIMU_LOG_FORMAT?)",
        "SIMU_OF_SOMEBODY_ELSE is no variable of a charge point",
    ]


def test_a_known_variable_is_no_news() -> None:
    known = [word for word in describe().split() if word.startswith("SIMU_")]
    assert unknown(dict.fromkeys(known, "1")) == []


def test_copies_that_share_a_volume_have_a_directory_each() -> None:
    shared = {"SIMU_CENTRAL_SYSTEM": "ws://csms", "SIMU_STATE_DIRECTORY": "/data/{hostname}"}
    assert config.read(shared, "box-1").state_directory == Path("/data/box-1")
    assert config.read(shared, "box-2").state_directory == Path("/data/box-2")
