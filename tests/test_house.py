# SPDX-License-Identifier: Apache-2.0
"""The promises of the house: light imports, a declared public face, licence lines, no strangers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import lvbo

ROOT = Path(__file__).parent.parent
HEAVY = ("duckdb", "highspy", "libsumo", "matplotlib", "numba", "openpyxl", "polars", "traci")
TEXT_KINDS = frozenset(
    {"", ".cff", ".csv", ".j2", ".html", ".lock", ".md", ".py", ".svg", ".toml", ".txt", ".yaml"}
)
# Written in parts, so that this file does not name them either.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("anaconda", "org"),
        ("deb", "debian", "org"),
        ("mirrors", "aliyun"),
        ("tuna", "tsinghua"),
    )
)
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")
PRIVATE_FOLDER = re.compile(r"(?<![\w.])/(?:home|root|work)/")
MODULE_ALARM = 500


def files() -> Iterator[Path]:
    """Return the text files of the checkout, without what tools leave behind."""
    tops = [path for path in ROOT.iterdir() if path.is_file()]
    rooms = [ROOT / room for room in (".ci", "docs", "src", "tests")]
    inside = [path for room in rooms for path in room.rglob("*") if path.is_file()]
    for path in sorted(tops + inside):
        hidden = "__pycache__" in path.parts or path.name.startswith(".coverage")
        if path.suffix in TEXT_KINDS and not hidden:
            yield path


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def public() -> list[str]:
    """Return the names that lvbo declares as its public face."""
    return list(vars(lvbo).get("__all__", ()))


def loaded_after(statement: str) -> set[str]:
    """Return the heavy libraries that a fresh interpreter has loaded after one statement."""
    report = f"import sys; print(*[m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{report}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return set(run.stderr.split())


def test_importing_lvbo_loads_no_heavy_library() -> None:
    loaded = loaded_after("import lvbo")

    assert loaded == set()


def test_asking_for_help_loads_no_heavy_library() -> None:
    loaded = loaded_after(
        "import sys\n"
        "from lvbo.cli import main\n"
        "sys.argv = ['lvbo', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code"
    )

    assert loaded == set()


def test_importing_lvbo_prints_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import lvbo"], capture_output=True, text=True, check=True
    )

    assert run.stdout + run.stderr == ""


def test_the_public_names_are_those_the_api_page_lists() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)", page, flags=re.MULTILINE)

    assert sorted(public()) == sorted(listed)


def test_every_public_name_exists_and_says_what_it_is_for() -> None:
    silent = [each for each in public() if not getattr(lvbo, each).__doc__]

    assert silent == []


def test_every_public_name_is_found_by_dir() -> None:
    missing = set(public()) - set(dir(lvbo))

    assert missing == set()


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="optimise_everything"):
        getattr(lvbo, "optimise_everything")  # noqa: B009  the name is unknown on purpose


def test_every_source_file_opens_with_its_licence() -> None:
    line = "SPDX-License-Identifier: Apache-2.0"
    sources = [p for p in files() if p.suffix in {".py", ".toml", ".yaml"} or p.name == "Makefile"]
    without = [
        name(p) for p in sources if line not in p.read_text(encoding="utf-8").partition("\n")[0]
    ]

    assert without == []


def test_no_module_is_longer_than_five_hundred_lines() -> None:
    modules = [p for p in files() if p.suffix == ".py"]
    lengths = {name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in modules}

    assert {path: n for path, n in lengths.items() if n > MODULE_ALARM} == {}


def test_no_file_names_a_package_registry() -> None:
    named = [
        (name(path), host)
        for path in files()
        for host in REGISTRIES
        if host in path.read_text(encoding="utf-8").lower()
    ]

    assert named == []


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^\w[\w.-]*==", lock, flags=re.MULTILINE)
    hashed = re.findall(r"^\w[\w.-]*==[^\n]* \\\n +--hash=sha256:", lock, flags=re.MULTILINE)

    assert len(pins) == len(hashed) > 0
    assert not re.search(r"://|--index|--find-links|--trusted", lock)


def test_no_file_leaves_work_or_private_folders_behind() -> None:
    left = [
        (name(path), number)
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line) or PRIVATE_FOLDER.search(line)
    ]

    assert left == []


def test_nothing_catches_an_unsafe_error() -> None:
    catching = [
        f"{name(path)}:{node.lineno}"
        for path in files()
        if path.suffix == ".py" and "src" in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is not None
        if "UnsafeError" in ast.unparse(node.type)
    ]

    assert catching == []


@pytest.mark.slow
def test_the_wheel_carries_every_file_of_the_package(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {entry for entry in archive.namelist() if entry.startswith("lvbo/")}
    source = ROOT / "src"
    there = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    expected = {path for path in there if path.startswith("lvbo/") and "__pycache__" not in path}

    assert carried == expected
