"""What is wrong with fleet files, where, and the way out."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launcher.fleet_file.reading import Source, read

HEAD = "defaults: {type: AC, central_system: 'ws://h'}\n"


def faults(text: str | bytes, *, name: str = "f.yaml") -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    source = Source(name=name, content=content, is_json=name.endswith(".json"))
    return [str(each) for each in read([source]).faults]


def test_all_faults_are_told_at_once_in_the_order_of_the_lines() -> None:
    assert faults("""\
defaults:
  central_system: ws://h
  typ: AC
templates:
  fast: {extends: fats, voltage: -1}
charge_points:
  - id: CP-1
    type: AC
    nb_phases: three
    serial: [a]
  - {id: CP 2, type: ac}
  - {id: CP-1, type: AC, template: slow}
  - {type: AC}
  - seven
extra: 1
""") == [
        "f.yaml:3: defaults.typ: there is no such key (did you mean type?)",
        "f.yaml:5: templates.fast.voltage: is -1: expected a number > 0.0",
        "f.yaml:5: templates.fast.extends: there is no template fats (did you mean fast?)",
        'f.yaml:9: charge_points[0].nb_phases: is "three": expected a whole number, got a text',
        "f.yaml:10: charge_points[0].serial: expected a single value, got a list",
        'f.yaml:11: charge_points[1].id: is "CP 2": an id is 1 to 48 characters of A-Z a-z 0-9 _ '
        ". -, not dots alone",
        'f.yaml:11: charge_points[1].type: is "ac": expected one of AC, DC (did you mean AC?)',
        "f.yaml:12: charge_points[2].template: there is no template slow (there are fast)",
        "f.yaml:12: charge_points[2].id: CP-1 is named twice, first at f.yaml:7",
        "f.yaml:13: charge_points[3]: it has no id (id: CP-1, or id: 'CP-{n:04}' and count: 50)",
        "f.yaml:14: charge_points[4]: expected a mapping, got a text",
        "f.yaml:15: extra: there is no such key (a fleet file is a mapping with "
        "charge_points, and perhaps defaults and templates)",
    ]


def test_a_misspelt_key_is_not_told_to_be_missing_besides() -> None:
    assert faults("""\
defaults: {typ: AC}
templates: {cable: {centralsystem: 'ws://h'}}
charge_points:
  - {id: CP-1, template: cable}
""") == [
        "f.yaml:1: defaults.typ: there is no such key (did you mean type?)",
        "f.yaml:2: templates.cable.centralsystem: there is no such key "
        "(did you mean central_system?)",
    ]
    assert faults("charge_points: [{id: A, typ: AC}, {id: B, central_system: 'ws://h'}]") == [
        "f.yaml:1: charge_points[0].typ: there is no such key (did you mean type?)",
        "f.yaml:1: charge_points[1]: it has no type",
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("voltage: 0", ".voltage: is 0: expected a number > 0.0"),
        ("voltage: .nan", ".voltage: is .nan: expected a finite number"),
        ("voltage: .inf", ".voltage: is .inf: expected a finite number"),
        ("nb_phases: 4", ".nb_phases: is 4: expected a whole number <= 3"),
        ("nb_phases: 1.5", ".nb_phases: is 1.5: expected a whole number, got a number"),
        ("nb_connectors: true", ".nb_connectors: is true: expected a whole number, got true or"),
        ("vendor: true", ".vendor: is true: expected a text, got true or false (put it in quotes)"),
        ("vendor: ''", '.vendor: is "": expected a text of length >= 1'),
        ("vendor: ", ".vendor: it has no value (leave the key out, or give it a value)"),
        ("serial: 12345678901234567890123456", "of length <= 25"),
        ('model: "a\\u0007b"', '.model: is "a\\u0007b": only printable'),
        ("security_profile: 4", ".security_profile: is 4: expected one of 0, 1, 2, 3"),
        (
            "tls_verification: no",
            'is "no": expected one of full, no-host-name, none (did you mean none?)',
        ),
        ("clock_start: yesterday", '.clock_start: is "yesterday": '),
        ("clock_rate: 0", ".clock_rate: is 0: expected a number >= 0.001"),
        (
            "central_system: http://h",
            ".central_system: is 'http://h': it must begin",
        ),
        ("authorization_user: 'a:b'", "a user name has no colon"),
        ("url: ws://h", ".url: there is no such key (did you mean central_system?)"),
        ("phases: 3", ".phases: there is no such key (did you mean nb_phases?)"),
        ("configuration: [A]", ".configuration: expected a mapping, got a list"),
        ("configuration: {A: }", ".configuration.A: nothing is no value of a key"),
        ("configuration: {A: {b: c}}", ".configuration.A: a mapping is no value of a key"),
        ("configuration: {A: [[b]]}", ".configuration.A: a list is no value of a key"),
        ("count: -1", ".count: is -1: expected a whole number >= 0"),
        ("count: 10001", ".count: is 10001: expected a whole number <= 10000"),
        ("count: 2", ".id: a count of 2 needs a place for the number: CP-1 has none (id: 'CP-1-{n"),
        ("first: 2", ".first: first needs a count"),
        ("serial: '{n}'", ".serial: {n} needs a count ({{ and }} are braces)"),
        ("serial: '{x}'", ".serial: {x} is no placeholder: those are {n}, {n:04} and {id}"),
        ("serial: 'a{'", ".serial: { is no placeholder"),
        ("{count: 1, serial: '{n:4}'}", "{n:4} is no placeholder"),
        ("serial: {id}", ".serial: expected a single value, got a mapping (quotes: '{id}')"),
        ("{count: 1, serial: {n:04}}", "single value, got a mapping (quotes: '{n:04}')"),
        ("security_profile: 1", ".security_profile: security profile 1 needs password_file or"),
        ("password: x, password_file: y", ": password and password_file exclude each other"),
        ("client_cert: x", ".client_cert: client_cert and client_key go together"),
        (
            "security_profile: 3, pki: p, client_key: x, central_system: 'wss://h'",
            ".client_key: client_cert and client_key go together",
        ),
        (
            "security_profile: 2, password: x, root_ca: y",
            ".security_profile: security profile 2 needs a wss:// URL",
        ),
        ("password: [x]", ".password: expected a single value"),
        ("template: x", ".template: there is no template x (templates has none)"),
        ("extends: x", ".extends: there is no such key"),
    ],
)
def test_a_fault_has_its_path_and_a_way_out(entry: str, expected: str) -> None:
    entry = entry.removeprefix("{").removesuffix("}") if entry.startswith("{") else entry
    found = faults(f"{HEAD}charge_points: [{{id: CP-1, {entry}}}]")
    assert len(found) == 1
    assert expected in found[0]
    assert found[0].startswith("f.yaml:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f.yaml:1: the file is empty (a fleet file is a mapping with charge_points"),
        (" \n\n", "f.yaml:1: the file is empty"),
        ("# nothing\n", "f.yaml:1: nothing but comments"),
        ("- id: CP-1\n", "f.yaml:1: no fleet file, but a list"),
        ("CP-1\n", "f.yaml:1: no fleet file, but a text"),
        ("defaults: {}\n", "f.yaml:1: charge_points is missing"),
        ("charge_point: []\n", "charge_point: there is no such key (did you mean charge_points?)"),
        ("charge_points:\n", "charge_points: expected a list, got nothing (charge_points: [] is"),
        ("charge_points: {a: b}\n", "charge_points: expected a list, got a mapping"),
        ("charge_points:\n\t- id: CP-1\n", "f.yaml:2: not YAML: "),
        ("charge_points: [\n", "f.yaml:2: not YAML: "),
        ("charge_points: []\n---\ncharge_points: []\n", "leave the second --- out"),
        (
            "charge_points: []\ncharge_points: []\n",
            "f.yaml:2: the key charge_points stands in line 1",
        ),
        ("charge_points: &a [*a]\n", "f.yaml:1: an anchor is named within itself"),
        ("charge_points: [*b]\n", "f.yaml:1: not YAML: "),
        ("charge_points: !python/object:os.system []\n", "means nothing in a fleet file"),
        ("? [a]\n: b\n", "f.yaml:1: a key must be a text"),
        ("<<: 5\n", "f.yaml:1: << takes a mapping"),
        ("\x00", "f.yaml:1: "),
        ("[" * 5000, "too deep"),
        (b"\xff\xfec\x00", "the file is UTF-16 (save it as UTF-8)"),
        (b"a: b\nc: \xff", "f.yaml:2: the file is not UTF-8 (save it as UTF-8)"),
    ],
)
def test_what_is_no_fleet_file(text: str | bytes, expected: str) -> None:
    (found, *_) = faults(text)
    assert expected in found


def test_tabs_are_named() -> None:
    (found,) = faults("charge_points:\n\t- id: CP-1\n")
    assert found.endswith("(YAML is indented with blanks, not with tabs)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f.json:1: the file is empty"),
        ("[]", "f.json:1: no fleet file, but a list"),
        ("{}", "f.json:1: charge_points is missing"),
        ('{"charge_points":{}}', "f.json:1: charge_points: expected a list, got a mapping"),
        ('{"a":1}', "f.json:1: a: there is no such key"),
        ('{\n"charge_points":\n}', "f.json:3: not JSON: a value is expected"),
        ('{"charge_points":[],}', "f.json:1: not JSON: a key in quotes is expected"),
        ('{"charge_points":[]', "f.json:1: not JSON: a comma or } is expected, but the file ends"),
        ('{"charge_points":[]} x', "not JSON: something stands behind the end, at 'x'"),
        ('{"charge_points":[\n],"charge_points":[]}', "f.json:2: the key charge_points stands in"),
        ("charge_points: []", "f.json:1: not JSON"),
        ('{"charge_points":[{"id":"\n"}]}', "not JSON: invalid control character"),
        ('{"charge_points":[01]}', "not JSON: a comma or ] is expected"),
        ("[" * 100_000, "too deep"),
    ],
)
def test_what_is_no_set_up_file(text: str, expected: str) -> None:
    (found, *_) = faults(text, name="f.json")
    assert expected in found


def test_templates_in_a_circle() -> None:
    (found,) = faults(
        f"{HEAD}templates: {{a: {{extends: b}}, b: {{extends: c}}, c: {{extends: a}}}}\n"
        "charge_points: [{id: X, template: a}]"
    )
    assert found.endswith("templates go round in a circle: a → b → c → a")


def test_a_fault_in_the_defaults_is_told_once() -> None:
    found = faults(
        "defaults: {type: ac, central_system: 'ws://h'}\ncharge_points: [{id: A}, {id: B}]"
    )
    assert len(found) == 1


def test_a_fault_of_a_configuration_key_in_the_defaults_is_told_once() -> None:
    found = faults(
        "defaults: {type: AC, central_system: 'ws://h', configuration: {'': 5}}\n"
        "charge_points: [{id: A}, {id: B}]"
    )
    assert found == ['f.yaml:1: defaults.configuration.: is "": expected a text of length >= 1']


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("id: 'C{n}', count: -1", ".count: is -1: expected a whole number >= 0"),
        ("id: 'C{n}', count: 2, first: x", '.first: is "x": expected a whole number, got a text'),
        ("id: 'C{n:4}', count: 2", ".id: {n:4} is no placeholder: those are {n} and {n:04}"),
        ("id: 'C{m}', count: 2", ".id: {m} is no placeholder: those are {n} and {n:04}"),
        ("id: 'C{id}', count: 2", ".id: {id} is no placeholder: those are {n} and {n:04}"),
        ("id: 'C{n', count: 2", ".id: { is no placeholder: those are {n} and {n:04}"),
    ],
)
def test_a_fault_of_a_count_is_told_as_what_it_is_and_alone(entry: str, expected: str) -> None:
    (found,) = faults(f"{HEAD}charge_points: [{{{entry}}}]")
    assert found.removesuffix(" ({{ and }} are braces)").endswith(expected)


def test_a_fault_of_a_thousand_is_told_once() -> None:
    found = faults(f"{HEAD}charge_points: [{{id: 'C{{n}}', count: 1000, central_system: x}}]")
    assert len(found) == 1


def test_ids_are_unique_in_all_files_together() -> None:
    sources = [
        Source(name=name, content=f"{HEAD}charge_points: [{{id: 'C{{n}}', count: 3}}]".encode())
        for name in ("a.yaml", "b.yaml", "a.yaml")
    ]
    found = [str(each) for each in read(sources).faults]
    assert found == [
        "b.yaml:2: charge_points[0].id: C1 is named twice, first at a.yaml:2",
        "a.yaml:2: charge_points[0].id: C1 is named twice, first at a.yaml:2",
    ]


def test_a_password_is_never_shown() -> None:
    (found,) = faults(f"{HEAD}charge_points: [{{id: X, password: {'sesame' * 50}}}]")
    assert "sesame" not in found


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_bytes_never_raise(content: bytes) -> None:
    for name in ("f.yaml", "f.json"):
        with contextlib.nullcontext():
            assert all(each.isprintable() for each in faults(content, name=name))


@settings(deadline=None)
@given(st.text(alphabet="{}[]:,-#&*!|>'\"%@`?<x1 \n\t.", max_size=40))
def test_yaml_of_any_kind_never_raises(text: str) -> None:
    faults(f"{HEAD}charge_points:\n- id: {text}")
