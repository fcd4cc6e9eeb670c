"""How somebody is told to bring up again what Docker Compose has brought up."""

from supervisor_cli.compose_project import command_up

PROJECT = "com.docker.compose.project.config_files"
SERVICE = "com.docker.compose.service"


def test_the_files_are_those_of_the_project_and_the_fleet_stays_as_it_is() -> None:
    files = {PROJECT: "/a b/fleet.yaml,/c/more.yaml"}
    assert command_up("ci-42", [{**files, SERVICE: "launcher"}, {**files, SERVICE: "broker"}]) == (
        "SIMU_ENVIRONMENT=ci-42 docker compose -f '/a b/fleet.yaml' -f /c/more.yaml up -d "
        "broker launcher"
    )


def test_without_files_it_is_our_own() -> None:
    assert command_up("x", [{}]) == (
        "SIMU_ENVIRONMENT=x docker compose -f compose/environment.yaml up -d"
    )
