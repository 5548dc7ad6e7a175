"""The rooms of the library: no import goes up the list in docs/architecture.md, and none goes round."""

import re

import pytest

from graft.code import SCRIPTS, facts_of
from places import ROOT

LIBRARY = SCRIPTS / "graft"


def rooms() -> list[set[str]]:
    """Return the rooms as the documentation lists them, the lowest first."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("| room | what it knows |\n|---|---|\n")[2].partition("\n\n")[0]
    return [set(re.findall(r"`(\w+)`", line.split("|")[1])) for line in table.splitlines()]


def level_of(room: str) -> int:
    """Return how high a room lies."""
    return next(level for level, names in enumerate(rooms()) if room in names)


def imports() -> dict[str, set[str]]:
    """Return the modules that each module of the library imports, by their names below `graft`."""
    modules = {
        path.relative_to(LIBRARY).with_suffix("").as_posix().replace("/", "."): path for path in LIBRARY.rglob("*.py")
    }
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items() if name != "__init__"}
    return {
        name: {other for other in modules if f"graft.{other}" in facts_of(path)["imports"] and other != name}
        for name, path in modules.items()
    }


def test_every_module_lies_in_a_room_that_is_listed():
    assert {name.split(".")[0] for name in imports()} == set.union(*rooms())


def test_no_import_goes_up():
    up = [
        f"{name} -> {other}"
        for name, others in imports().items()
        for other in others
        if level_of(other.split(".")[0]) > level_of(name.split(".")[0])
    ]
    assert up == []


def test_no_imports_go_round():
    left = imports()
    while free := [name for name, others in left.items() if not others & set(left)]:
        for name in free:
            del left[name]
    assert left == {}


@pytest.mark.parametrize("name", ["compare_runs", "draw_figures"])
def test_the_names_of_rules_and_scripts_agree(name):
    assert (SCRIPTS / f"{name}.py").is_file()
    assert any(f"rule {name}:" in path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
