"""What the kernel lacks for dense mode is said; nothing of it is changed."""

from pathlib import Path

from supervisor_cli import doctor
from supervisor_cli.page_sharing import Lack, lack


def test_a_kernel_that_merges_lacks_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("1\n")
    assert lack(tmp_path, "6.18.44-amd64") is None


def test_ksmd_that_is_off_is_left_off(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for off in ("0\n", "2\n"):  # 2 unmerges
        run.write_text(off)
        assert lack(tmp_path, "6.4.0") == Lack(
            text="the kernel's ksmd is off", remedy=f"echo 1 | sudo tee {run}"
        )
        assert run.read_text() == off


def test_a_kernel_that_is_too_old(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("1\n")
    found = lack(tmp_path, "6.1.0-18-amd64")
    assert found is not None
    assert "6.1.0-18-amd64" in found.text
    assert "6.4" in found.remedy


def test_a_kernel_without_it(tmp_path: Path) -> None:
    found = lack(tmp_path / "nothing", "6.18.0")
    assert found is not None
    assert "CONFIG_KSM" in found.remedy


def test_the_doctor_says_what_dense_mode_lacks() -> None:
    assert doctor.dense_mode(None).verdict is doctor.Verdict.GOOD
    found = doctor.dense_mode(Lack(text="the kernel's ksmd is off", remedy="turn it on"))
    assert (found.verdict, found.remedy) == (doctor.Verdict.ODD, "turn it on")
