"""The pictures in the README show what the dashboard shows today."""

import html
import re
import time
from collections.abc import Iterator

import pytest

from tests.support.dashboard_pictures import PICTURES, SCENES, picture
from tests.unit.supervisor_cli.dashboard.test_keys import README


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def text_of(svg: str) -> str:
    """Return the characters of a picture line by line, without blanks."""
    found = re.findall(r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg)
    pieces = sorted((float(y), float(x), html.unescape(text)) for x, y, text in found)
    return "".join("".join(piece[2].split()) for piece in pieces)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.usefixtures("utc")
async def test_a_picture_is_what_the_dashboard_shows(name: str) -> None:
    _svg, lines = await picture(name)
    kept = text_of((PICTURES / f"{name}.svg").read_text("utf-8"))
    now = "".join("".join(line.split()) for line in lines)
    assert kept == now, "make pictures draws them anew"


@pytest.mark.parametrize("name", SCENES)
def test_the_readme_has_the_picture(name: str) -> None:
    assert f"](supervisor_cli/dashboard/pictures/{name}.svg)" in README.read_text("utf-8")
