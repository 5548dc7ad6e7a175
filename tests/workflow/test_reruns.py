"""The table in docs/architecture.md of what a change makes run again: each change is made, and the rules compared."""

import copy
import re
import shutil
from pathlib import Path

import pytest

from places import ROOT
from project import Project, quick

LIBRARY = Path("workflow", "scripts", "graft")


def documented() -> dict[str, str]:
    """Return the table's rows: the rules that run again by the change."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("| change | rules that run again |\n|---|---|\n")[2].partition("\n\n")[0]
    return dict(re.fullmatch(r"\| (.*) \| (.*) \|", line).groups() for line in table.splitlines())


@pytest.fixture(scope="module")
def built_without_views(tmp_path_factory, photos) -> Project:
    """Return a project that was run to its end once; no augmented views are cached, so features need no split."""
    project = Project(tmp_path_factory.mktemp("built"), quick({"source": {"folder": str(photos)}}))
    project.set("experiments.quick.override.frozen.views", 0)
    project.run()
    return project


def edit(file: Path, old: str, new: str) -> None:
    """Change one place of a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def comment(project: Project, code: Path) -> None:
    for file in sorted((code / "workflow" / "scripts").rglob("*.py")):
        file.write_text(file.read_text(encoding="utf-8") + "\n# A remark.\n", encoding="utf-8")
    edit(code / LIBRARY / "config" / "recipe.py", '"""', '"""In other words: ')


def style(project: Project, code: Path) -> None:
    edit(code / LIBRARY / "figures" / "style.py", 'MARKERS = "osD^vPX"', 'MARKERS = "osD^vXP"')


def metric(project: Project, code: Path) -> None:
    edit(code / LIBRARY / "judging" / "metrics.py", "def ", "ADDED = 1\n\n\ndef ")


def set_to(key: str, value):
    def change(project: Project, code: Path) -> None:
        project.set(key, value)

    return change


def one_more_photo(project: Project, code: Path) -> None:
    folder = Path(project.configuration["datasets"]["photos"]["source"]["folder"])
    own = project.folder / "more" / folder.name
    shutil.copytree(folder, own)
    shutil.copy(own / "sky" / "0.png", own / "sky" / "new.png")
    project.set("datasets.photos.source.folder", str(own))


OVERRIDE = "experiments.quick.override"
CHANGES = {
    "a comment or a docstring": comment,
    "an option of a figure": set_to("figures.prediction_grid.columns", 5),
    "the code of a figure's style": style,
    "an option of evaluation": set_to("evaluation.confidence", 0.9),
    "the code of a metric": metric,
    "another role in `predict`": set_to("experiments.quick.predict", ["val", "train"]),
    "a rate of fine-tuning": set_to(f"{OVERRIDE}.finetune.optimizer.learning_rate", 2e-5),
    "a rate of the head": set_to(f"{OVERRIDE}.frozen.optimizer.learning_rate", 2e-3),
    "the seed of the split, where no views are cached": set_to("datasets.photos.split.seed", 5),
    "another seed of a run, where no views are cached": set_to("experiments.quick.seed", 5),
    "one more photo in the folder": one_more_photo,
}


def test_every_row_of_the_table_is_tested():
    assert set(documented()) == set(CHANGES)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_runs_again_what_the_table_says(built_without_views, tmp_path, change):
    for name in ("Snakefile", "workflow", "config"):
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copied(ROOT / name, tmp_path / name)
    project = Project(built_without_views.folder, copy.deepcopy(built_without_views.configuration), code=tmp_path)
    CHANGES[change](project, tmp_path)
    rules = documented()[change]
    planned = project.rules_to_run() - {"all"}
    if rules == "none":
        assert planned == set()
    elif rules.startswith("all but "):
        built = {path.name for path in (project.folder / "results" / "logs").iterdir()}
        built = {name.removesuffix(".log") for name in built}
        assert planned == built - {rules.removeprefix("all but ")}
    else:
        assert planned == set(rules.split(", "))
