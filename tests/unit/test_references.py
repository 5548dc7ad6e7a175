"""The references of commands and messages are those of the code."""

import re

import pytest

import describe_commands
from places import ROOT


@pytest.mark.parametrize("name", ["commands", "messages"])
def test_the_reference_agrees_with_the_code(name, request):
    page, text = ROOT / "docs" / f"{name}.md", getattr(describe_commands, name)()
    if request.config.getoption("--fix"):
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text, f"docs/{name}.md lags the code; run: make schema"


def test_every_command_has_help_that_says_what_it_does():
    for path in describe_commands.scripts():
        said = describe_commands.help_of(path)
        assert said.startswith(f"usage: {path.name}"), path.name
        assert len(re.split(r"\n\n", said)[1]) > 30, path.name


def test_a_message_is_found_with_what_differs_left_out():
    source = 'def f():\n    raise UserError(f"{a} has {b} " + "photos" + f"{c}")\n    raise ValueError("no")\n'
    assert list(describe_commands.sentences(source)) == ["… has … photos…"]
