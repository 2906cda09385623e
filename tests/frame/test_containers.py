"""The container files fit the program, as far as can be seen without a container engine."""

import re
import shlex

import pytest
import yaml

from mobility.core.settings import Settings


@pytest.fixture(scope="module")
def services(project_root):
    """Return the services of docker-compose.yml."""
    return yaml.safe_load((project_root / "docker-compose.yml").read_text())["services"]


@pytest.fixture(scope="module")
def instructions(project_root):
    """Return the instructions of the Dockerfile as (word, rest)."""
    text = (project_root / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def test_compose_serves_the_program_with_postgresql_and_redis(services):
    assert set(services) == {"app", "postgres", "redis"}
    assert set(services["app"]["depends_on"]) == {"postgres", "redis"}
    for name in ("postgres", "redis"):
        assert services[name]["healthcheck"]["test"]


def test_every_variable_is_a_setting_of_the_program(services, instructions):
    names = set(services["app"]["environment"])
    for word, rest in instructions:
        if word == "ENV":
            names |= {part.split("=")[0] for part in shlex.split(rest)}
    known = {f"MOBILITY_{field.upper()}" for field in Settings.model_fields}
    assert names <= known


def test_ports_are_bound_to_this_machine_alone(services):
    assert all(port.startswith("127.0.0.1:") for port in services["app"]["ports"])
    assert "ports" not in services["postgres"]
    assert "ports" not in services["redis"]


def test_the_image_runs_targets_and_files_that_exist(instructions, project_root):
    targets = set(re.findall(r"^([a-z-]+):", (project_root / "Makefile").read_text(), re.M))
    runs = [rest for word, rest in instructions if word == "RUN"]
    for target in re.findall(r"make ([a-z-]+)", " ".join(runs)):
        assert target in targets or target == "&&"
    for lock in re.findall(r"-r (\S+)", " ".join(runs)):
        assert (project_root / lock).is_file()


def test_the_image_does_not_run_as_root(instructions):
    words = [word for word, _ in instructions]
    assert words.index("USER") < words.index("CMD")


def test_all_words_are_instructions_of_a_dockerfile(instructions):
    known = {
        "FROM",
        "RUN",
        "WORKDIR",
        "COPY",
        "USER",
        "ENV",
        "VOLUME",
        "EXPOSE",
        "HEALTHCHECK",
        "CMD",
    }
    assert {word for word, _ in instructions} <= known
