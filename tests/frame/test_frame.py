"""The frame holds: imports go one way, licences fit, nothing in src knows the sample region."""

import csv
import importlib.util
import re
import subprocess
import sys
import tomllib

import pytest


@pytest.fixture(scope="module")
def pyproject(project_root):
    """Return pyproject.toml."""
    return tomllib.loads((project_root / "pyproject.toml").read_text())


def test_every_dependency_has_an_upper_bound(pyproject):
    groups = [pyproject["project"]["dependencies"], *pyproject["dependency-groups"].values()]
    unbound = [d for group in groups for d in group if "<" not in d and not d.startswith("tzdata")]
    assert unbound == []  # tzdata is data: newer is righter


def test_the_locks_name_no_host_and_pin_everything(project_root):
    for lock in (project_root / "requirements").glob("*.lock"):
        lines = lock.read_text().splitlines()
        assert not any("://" in line for line in lines)
        pins = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert all("==" in pin for pin in pins)


def test_planning_loads_no_pandas_database_or_web_framework():
    heavy = ("pandas", "sqlalchemy", "fastapi", "geopandas", "partridge", "gtfs_kit")
    code = f"import sys, mobility.planner; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def names_of_the_sample(project_root):
    """Return ids and telling words of names of the sample region's feeds, agencies and places."""
    names: set[str] = set()
    for manifest in sorted((project_root / "feeds").glob("*/region.toml")):
        document = tomllib.loads(manifest.read_text(encoding="utf-8"))
        names |= {document["id"].capitalize()}
        with (manifest.parent / "places.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                names.add(re.split(r"[ ,(/]", row["stop_name"])[0])
    common = {"Europe", "Gare", "Mairie", "Messe", "Markt", "Place", "Port", "Station", "Weil"}
    return {name for name in names if len(name) > 4 and name[0].isupper()} - common


def test_no_name_of_a_region_operator_or_station_stands_in_src(project_root):
    words = "|".join(sorted(map(re.escape, names_of_the_sample(project_root))))
    pattern = re.compile(rf"(?<!Europe/)\b({words})\b")
    hits = []
    for path in sorted((project_root / "src").rglob("*")):
        if path.suffix in (".py", ".html", ".json", ".toml", ".sql") and "static" not in path.parts:
            lines = path.read_text(encoding="utf-8").splitlines()
            hits += [f"{path.name}: {line.strip()}" for line in lines if pattern.search(line)]
    assert hits == []


def test_every_package_says_in_a_screen_what_it_is_for(project_root):
    for package in sorted((project_root / "src" / "mobility").iterdir()):
        if (package / "__init__.py").is_file():
            readme = package / "README.md"
            assert readme.is_file(), f"{package.name} has no README.md"
            assert len(readme.read_text().splitlines()) <= 60, f"{package.name}/README.md is long"


@pytest.mark.parametrize(
    ("stated", "allowed"),
    [
        (["MIT"], True),
        (["BSD-3-Clause"], True),
        (["Apache-2.0 WITH LLVM-exception"], True),
        (["GPL-3.0-or-later"], False),
        (["GNU Affero General Public License v3"], False),
        (["GNU Lesser General Public License v3 (LGPLv3)"], True),
        (["MIT OR GPL-2.0"], True),
        ([], False),
    ],
)
def test_licences_are_judged_as_the_project_settled(project_root, stated, allowed):
    spec = importlib.util.spec_from_file_location("licences", project_root / ".ci" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.allowed(stated) is allowed
