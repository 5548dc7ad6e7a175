"""A folder that can be given away, or put on Hugging Face's Hub: model, exports, predictor, card, licence, examples."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from PIL import Image

from graft.config.base import nearest
from graft.config.dataset import Pictures
from graft.data.pictures import upright_rgb
from graft.errors import UserError
from graft.network.model_file import FACTS, pictures_of, read_facts
from graft.reporting import exported
from graft.storage import seals
from graft.storage.files import read_json, read_table, sha256_of, write_table

TABLES = (
    "evaluation.csv",
    "per_class.csv",
)  # of a run; its other tables name every photo, which may be nobody's business
EXAMPLE_PX = 1024  # the longer side of an example
TAGS = {"onnx": "onnx", "litert": "tflite", "openvino": "openvino", "saved_model": "tf-saved-model"}
# Identifiers that the Hub knows (its documentation, "Licenses"); `other` needs a name and a link.
LICENCES = (
    "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear",
    "bsl-1.0", "c-uda", "cc", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0",
    "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
    "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0",
    "cdla-sharing-1.0", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "gpl", "gpl-2.0",
    "gpl-3.0", "isc", "lgpl", "lgpl-2.1", "lgpl-3.0", "mit", "mpl-2.0", "ms-pl", "ncsa", "odbl", "odc-by", "openrail",
    "osl-3.0", "other", "pddl", "postgresql", "unknown", "unlicense", "wtfpl", "zlib",
)  # fmt: skip


@dataclass(frozen=True)
class Licence:
    """Under which terms a bundle is given: an identifier of the Hub's, and for `other` a name and a link."""

    identifier: str
    name: str = ""
    link: str = ""

    def checked(self) -> "Licence":
        """Return the licence.

        Raises: UserError if the Hub would not know it.
        """
        if not self.identifier:
            raise UserError("say under which licence the model may be used: make bundle RUN=name LICENSE=cc-by-4.0")
        if self.identifier not in LICENCES:
            raise UserError(f"the licence {self.identifier!r} is none of the Hub's{near(self.identifier)}")
        if self.identifier == "other" and not (self.name and self.link):
            raise UserError("the licence 'other' needs --license-name and --license-link too")
        return self

    @property
    def fields(self) -> dict[str, str]:
        """Return what stands in a card's front matter."""
        if self.identifier != "other":
            return {"license": self.identifier}
        return {"license": "other", "license_name": self.name, "license_link": self.link}


def near(identifier: str) -> str:
    """Return the end of a sentence about a licence that is unknown.

    >>> near("MIT")
    "; did you mean 'mit'?"
    """
    found = nearest(identifier.lower(), list(LICENCES))
    return found if "did you mean" in found else "; take 'other', with --license-name and --license-link"


def collect(run: Path, folder: Path, licence: Licence, shared: list[Path]) -> list[str]:
    """Fill a folder with all that is given away; return its files.

    Args:
        run: the run's folder.
        folder: that exists, and is empty.
        licence: the terms.
        shared: photos that their owner says may be shared.

    Raises: UserError if the run is not whole, or a photo cannot be read.
    """
    check_whole(run)
    for name in ("model.keras", *TABLES):
        shutil.copyfile(run / name, folder / name)
    exports = copy_exports(run, folder)
    several = read_facts(folder / "model.keras").get("output") == "sigmoid"
    examples = add_examples(folder, shared)
    card = (run / "MODEL_CARD.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(readme(card, licence, exports, examples, several), encoding="utf-8")
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def check_whole(run: Path) -> None:
    """Refuse a run that is not there, or whose files are not as they were written."""
    for name in ("model.keras", "MODEL_CARD.md", *TABLES):
        if not (run / name).is_file():
            raise UserError(f"{run / name} does not exist: name a run that was built (make bundle RUN=name)")
        seals.check(run / name)


def copy_exports(run: Path, folder: Path) -> pd.DataFrame | None:
    """Copy the exports that exports.csv proves, and the table without a photo's name; return it, or None without any.

    Raises: UserError if an export is gone, was edited, or was made from another model than the run's.
    """
    if not (run / "exports.csv").is_file():
        return None
    table = read_table(run / "exports.csv")
    digest = sha256_of(run / "model.keras")
    for name in table["export"]:
        source = run / "exports" / name
        if not (source / FACTS).is_file():
            raise UserError(f"{source} does not exist, which exports.csv names: run the workflow again")
        if read_json(source / FACTS).get("model_sha256") != digest:
            raise UserError(f"{source} was made from another model than {run / 'model.keras'}: run the workflow again")
        for path in (path for path in source.rglob("*") if path.is_file() and not hidden(path.relative_to(source))):
            seals.check(path)
            target = folder / "exports" / name / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    write_table(table.drop(columns="worst_photo"), folder / "exports.csv", sealed=False)
    return table


def hidden(path: Path) -> bool:
    """Return whether a path is a seal or Snakemake's, and no part of an export.

    >>> hidden(Path(".snakemake_timestamp")), hidden(Path("saved_model/variables/variables.index"))
    (True, False)
    """
    return any(part.startswith(".") for part in path.parts)


def add_examples(folder: Path, shared: list[Path]) -> list[dict[str, Any]]:
    """Write the example photos, and return the model's answers: `path`, `label`, `answer`, `probabilities` by class.

    What else a photo's file holds, such as where it was taken, and its name stay behind.
    """
    if not shared:
        return []
    from graft.network.model_file import load_model
    from graft.predicting.classify import classify

    pictures = pictures_of(read_facts(folder / "model.keras"))
    (folder / "examples").mkdir()
    names = []
    for number, photo in enumerate(shared, 1):
        names.append(f"examples/{number}.jpg")
        save_example(photo, folder / names[-1], pictures)
    model, facts = load_model(folder / "model.keras")
    verdicts = classify(model, facts, [str(folder / name) for name in names])
    return [
        {
            "path": name,
            "label": verdict.label.replace("|", ", ") or "none",  # of several labels, which may be none
            "answer": verdict.answer
            if facts.get("output") == "sigmoid"
            else f"{verdict.label}, {verdict.probability:.2f}",
            "probabilities": dict(zip(facts["classes"], verdict.probabilities, strict=True)),
        }
        for name, verdict in zip(names, verdicts, strict=True)
    ]


def save_example(photo: Path, target: Path, pictures: Pictures) -> None:
    """Write a photo's pixels, as the model sees them, and nothing else of it, as a JPEG of at most EXAMPLE_PX."""
    try:
        image = upright_rgb(photo, pictures=pictures)
    except FileNotFoundError:
        raise UserError(f"the example photo {photo} does not exist") from None
    except Exception as error:  # a decoder raises almost anything on damaged bytes
        raise UserError(f"the example photo {photo} cannot be read ({type(error).__name__})") from None
    image.thumbnail((EXAMPLE_PX, EXAMPLE_PX))
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    bare.save(target, quality=92)


def readme(
    card: str, licence: Licence, exports: pd.DataFrame | None, examples: list[dict[str, Any]], several: bool = False
) -> str:
    """Return a run's model card as the Hub shows it.

    The photo set's name is left out of `datasets`, where the Hub wants the name of a data set of its own.
    """
    _, front, body = card.split("---\n", 2)
    matter = {key: value for key, value in yaml.safe_load(front).items() if key != "datasets"}
    formats = [] if exports is None else [name.partition("-")[0] for name in exports["export"]]
    matter = {
        **licence.fields,
        **matter,
        "tags": list(dict.fromkeys([*matter["tags"], *(TAGS[name] for name in formats)])),
    }
    told = body if exports is None else exported.in_card(body, exports, several)
    parts = [told.rstrip("\n"), ""]
    if examples:
        matter["widget"] = [
            {
                "src": example["path"],
                "example_title": f"Example {number}",
                "output": [
                    {"label": name, "score": round(chance, 4)} for name, chance in example["probabilities"].items()
                ],
            }
            for number, example in enumerate(examples, 1)
        ]
        parts += ["## Examples", ""]
        parts += [f"![{example['label']}]({example['path']}) {example['answer']}\n" for example in examples]
    return f"---\n{yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)}---\n" + "\n".join(parts)


def check_card(path: Path, licence: Licence) -> bool:
    """Read a card with the Hub's own library, without a network; return whether that library is there.

    Raises: UserError if the Hub could not read the card, or would show something else.
    """
    if importlib.util.find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import ModelCard

    try:
        data = ModelCard.load(path).data
    except Exception as error:  # it raises several kinds
        raise UserError(f"the Hub cannot read {path}: {' '.join(str(error).split())[:200]}") from None
    wrong = [name for name, value in licence.fields.items() if getattr(data, name, None) != value]
    wrong += ["pipeline_tag"] * (data.pipeline_tag != "image-classification")
    wrong += ["model-index"] * (not data.eval_results)
    if wrong:
        raise UserError(f"the Hub would not show the {' and '.join(wrong)} of {path}")
    return True
