"""Lines of logs as the engine gives them."""

from supervisor_cli.log_line import split


def test_lines_and_when_the_engine_took_them() -> None:
    content = (
        b"2026-01-31T12:00:00.000000001Z 2026-01-31T12:00:00.000Z INFO CP-1 cp_image: it starts\n"
        b"2026-01-31T12:00:01.000000000Z not of ours \xff\r\n"
    )
    first, second = split("CP-1", content)
    assert first.fields() == {
        "at": "2026-01-31T12:00:00.000Z",
        "level": "INFO",
        "id": "CP-1",
        "logger": "cp_image",
        "text": "it starts",
    }
    assert (first.said_at(), second.said_at()) == (
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T12:00:01.000Z",
    )
    assert second.fields() == {
        "at": "2026-01-31T12:00:01.000000000Z",
        "text": "not of ours \N{REPLACEMENT CHARACTER}",
        "id": "CP-1",
    }


def test_of_nothing() -> None:
    assert split("CP-1", b"") == []
    assert split("CP-1", b"2026-01-31T12:00:00.000000001Z\n")[0].text == ""
