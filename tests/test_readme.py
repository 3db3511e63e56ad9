# SPDX-License-Identifier: Apache-2.0
"""What the two README pages show is true: links, commands, names, and code that runs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest

import lvbo

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh-CN.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(page(name)) if kind == language]


def without_comments(code: str) -> str:
    return ast.unparse(ast.parse(code))


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file(name: str) -> None:
    targets = [link for link in LINK.findall(page(name)) if "://" not in link]
    missing = [target for target in targets if not (ROOT / target).exists()]

    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), flags=re.MULTILINE))
    shown = set(re.findall(r"^make (\w+)", "".join(blocks(name, "sh")), flags=re.MULTILINE))

    assert shown <= targets
    assert {"demo", "test"} <= shown


@pytest.mark.parametrize("name", PAGES)
def test_every_command_exists(name: str) -> None:
    listed = set(re.findall(r"^\| `lvbo (\w+)`", page(name), flags=re.MULTILINE))
    offered = subprocess.run(
        [sys.executable, "-m", "lvbo.cli", "--help"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "COLUMNS": "120"},
    ).stdout
    missing = {command for command in listed if not re.search(rf"\b{command}\b", offered)}

    assert missing == set()


def test_both_languages_show_the_same_code_and_commands() -> None:
    pairs = list(zip_longest(*(blocks(name, "python") for name in PAGES), fillvalue=""))
    commands = [re.findall(r"^\| `(lvbo \w+)`", page(name), flags=re.MULTILINE) for name in PAGES]

    assert [without_comments(en) for en, _ in pairs] == [without_comments(zh) for _, zh in pairs]
    assert commands[0] == commands[1]


@pytest.mark.parametrize("name", PAGES)
def test_every_name_of_the_code_is_public(name: str) -> None:
    used = {word for body in blocks(name, "python") for word in re.findall(r"\blv\.(\w+)", body)}

    assert used - set(vars(lvbo).get("__all__", ())) == set()
    assert used
