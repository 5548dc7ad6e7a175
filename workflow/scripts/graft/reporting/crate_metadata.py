"""The description of a research object: what its files are, and the run that made the one from the other.

It follows the profile Workflow Run Crate 0.5 (Leo et al., "Recording provenance of workflow runs with RO-Crate",
PLOS ONE 2024), on RO-Crate 1.1, which that profile stands on. It is written by the library rocrate, an optional
install.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from graft.errors import UserError
from graft.reporting import crate_files
from graft.reporting.crate_files import Part
from graft.reporting.crate_reading import SUMS
from graft.storage.files import sha256_of

if TYPE_CHECKING:
    from rocrate.model.entity import Entity
    from rocrate.rocrate import ROCrate

VERSION = "1.1"
TERMS = "https://w3id.org/ro/terms/workflow-run#"
WORKFLOW_PROFILE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_PROFILE: ("Workflow RO-Crate", "1.0"),
}
WORKFLOW_TYPE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
PARAMETER_TYPE = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
WORKFLOW = "workflow/Snakefile"
FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".keras": "application/zip",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".yaml": "application/yaml",
}
SOFTWARE = {  # by the name of its package
    "keras": ("Keras", "https://keras.io/"),
    "tensorflow-cpu": ("TensorFlow", "https://www.tensorflow.org/"),
    "tensorflow": ("TensorFlow", "https://www.tensorflow.org/"),
    "jax": ("JAX", "https://docs.jax.dev/"),
}
NO_LICENCE = "No licence was given: ask whoever made the run what may be done with it."


@dataclass(frozen=True)
class Given:
    """What only the user can say of a crate; empty where nothing is said.

    Attributes:
        licence: an SPDX identifier, or an address where the terms stand.
        agent: who made the run.
        agent_id: an address that stands for that person, such as an ORCID.
    """

    licence: str = ""
    agent: str = ""
    agent_id: str = ""

    def checked(self) -> Given:
        """Return the same with the licence as an address.

        Raises: UserError if the licence is unknown, or an address is none.
        """
        if self.agent_id and not self.agent:
            raise UserError("an address of the person needs the person's name too: AGENT='Ada Lovelace'")
        if self.agent_id and not is_address(self.agent_id):
            raise UserError(f"the person's address is {self.agent_id!r}; write one that begins with https://")
        return Given(address_of_licence(self.licence), self.agent, self.agent_id)


def is_address(text: str) -> bool:
    """Return whether a text is an address of the web.

    >>> is_address("https://orcid.org/0000-0001-2345-6789"), is_address("0000-0001-2345-6789")
    (True, False)
    """
    return bool(re.fullmatch(r"https?://[^\s/]+\S*", text))


def address_of_licence(licence: str) -> str:
    """Return the address of a licence, by its SPDX identifier in any case.

    Raises: UserError if SPDX has no such licence.

    >>> address_of_licence("cc-by-4.0")
    'https://spdx.org/licenses/CC-BY-4.0'
    """
    if not licence or is_address(licence):
        return licence
    try:
        name = str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression:
        name = ""
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("LicenseRef"):
        raise UserError(
            f"the licence {licence!r} is no identifier of SPDX; write one, such as CC-BY-4.0, or the address "
            "where the terms stand"
        )
    return f"https://spdx.org/licenses/{name}"


def check_installed() -> None:
    """Refuse to go on without the library that writes crates.

    Raises: UserError that names the command that installs it.
    """
    if importlib.util.find_spec("rocrate") is None:
        raise UserError(
            "a crate needs the library rocrate, which is an optional install: make crate installs it, or "
            "pip install --require-hashes -r envs/requirements-crate.txt"
        )


def describe(
    folder: Path, parts: list[Part], record: dict[str, Any], given: Given, *, began: str | None, same_code: bool
) -> None:
    """Write the metadata of a crate, and a page to read it by, into its folder.

    Args:
        folder: with all files of the crate.
        parts: those of them that were made from, or by, the run.
        record: the run's provenance.
        given: what only the user can say, checked.
        began: when the run began, or None where nobody knows.
        same_code: whether the code in the folder is that of the run.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION, gen_preview=True)
    crate.metadata.extra_terms |= {name: TERMS + name for name in ("sha256", "resourceUsage")}
    workflow = add_workflow(crate, folder, record, same_code)
    sources = [*add_inputs(crate, folder, parts, record), *add_digests(crate, record), *add_address(crate, record)]
    made = [(part, add_file(crate, folder, part.path, part.title)) for part in parts if not part.is_input]
    add_profile(crate, PARAMETER_TYPE, "FormalParameter", "1.0-RELEASE")
    for slot, pairs in (("input", sources), ("output", made)):
        workflow[slot] = add_slots(crate, slot, pairs)
    action = add_action(crate, workflow, record, began)
    action["object"] = [entity for _, entity in sources]
    action["result"] = [entity for _, entity in made]
    if given.agent:
        action["agent"] = add_person(crate, given)
    readme = add_file(crate, folder, crate_files.README, "How to read, check and repeat this")
    readme["about"] = crate.root_dataset
    describe_root(crate, record, given, action)
    crate.metadata.write(folder)
    crate.preview.write(folder)


def describe_root(crate: ROCrate, record: dict[str, Any], given: Given, action: Entity) -> None:
    """Say what the crate as a whole is, by which profiles, and under which licence."""
    root = crate.root_dataset
    root["name"] = f"{record['run']}: an image classifier trained with Graft"
    root["description"] = in_words(record)
    root["datePublished"] = record["recorded"]
    root["conformsTo"] = [add_profile(crate, address, name, version) for address, (name, version) in PROFILES.items()]
    root["mentions"] = action
    if given.licence:
        name = given.licence.rpartition("/")[2] or given.licence
        root["license"] = add_licence(crate, given.licence, name)
    else:
        root["license"] = NO_LICENCE
    if given.agent:
        root["author"] = action["agent"]


def in_words(record: dict[str, Any]) -> str:
    """Return a sentence on a run: network, recipe, photos and seed."""
    experiment = record["config"]["experiments"][record["experiment"]]
    backbone = experiment["backbone"]
    return (
        f"A head grafted on {backbone['name']} at {backbone['size']} pixels by the recipe {experiment['recipe']}, "
        f"trained and judged on {record['data']['photos']} photos of {len(record['data']['classes'])} classes "
        f"({record['dataset']}), seed {record['seed']}. The photos themselves are not in the crate; their digests are."
    )


def add_profile(crate: ROCrate, address: str, name: str, version: str) -> Entity:
    """Add a profile that something in the crate conforms to."""
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, address, {"@type": "CreativeWork", "name": name, "version": version}))


def add_licence(crate: ROCrate, address: str, name: str) -> Entity:
    """Add a licence, by its address."""
    from rocrate.model.contextentity import ContextEntity

    properties = {"@type": "CreativeWork", "name": name, "description": f"The licence {name}", "url": address}
    return crate.add(ContextEntity(crate, address, properties))


def add_person(crate: ROCrate, given: Given) -> Entity:
    """Add who made the run."""
    from rocrate.model.person import Person

    identifier = given.agent_id or f"#{quote(given.agent.lower().replace(' ', '-'))}"
    return crate.add(Person(crate, identifier, {"name": given.agent}))


def add_workflow(crate: ROCrate, folder: Path, record: dict[str, Any], same_code: bool) -> Entity:
    """Add the workflow, the code below it, and the software that it ran on."""
    code = record["code"]
    told = "This is the code that the run ran with" if same_code else "This is NOT the code that the run ran with"
    changes = {True: "nothing changed", False: "with changes that were not committed", None: "no git to ask"}
    description = (
        f"{told}. The run recorded commit {code['commit'] or 'none'} ({changes[code['clean']]}) and the digest "
        f"{code['sha256']} of its code."
    )
    workflow = crate.add_workflow(
        folder / WORKFLOW,
        WORKFLOW,
        main=True,
        lang="snakemake",
        lang_version=record["packages"].get("snakemake"),
        properties={"name": "Graft", "description": description, "encodingFormat": "text/plain"}
        | checksum(folder / WORKFLOW)
        | {"version": code["commit"] or code["sha256"]},
    )
    workflow["conformsTo"] = add_profile(crate, WORKFLOW_TYPE, "ComputationalWorkflow", "1.0-RELEASE")
    workflow["license"] = add_licence(crate, "https://spdx.org/licenses/MIT", "MIT")
    crate.add_dataset(
        dest_path="workflow/", properties={"name": "The code", "description": "Rules, scripts, library and commands"}
    )
    workflow["softwareRequirements"] = add_software(crate, folder, record)
    return workflow


def add_software(crate: ROCrate, folder: Path, record: dict[str, Any]) -> list[Entity]:
    """Add what the run ran on: the frameworks and the list of all packages; and the files about the crate itself."""
    from rocrate.model.contextentity import ContextEntity

    frameworks = [
        crate.add(ContextEntity(crate, address, {"@type": "SoftwareApplication", "name": name, "url": address}))
        for name, address in dict(SOFTWARE.values()).items()
        if name in versions(record)
    ]
    for framework in frameworks:
        framework["softwareVersion"] = versions(record)[framework["name"]]
    about = {
        crate_files.ENVIRONMENT: "Every package that was installed when the run was made, with its version",
        crate_files.LOCK_OF_PACKAGES: "The lock of packages that comes with the code, with hashes",
        SUMS: "The SHA-256 of every file: sha256sum --check SHA256SUMS",
        "LICENSE": "The licence of Graft's code",
    }
    files = [add_file(crate, folder, path, title) for path, title in about.items() if (folder / path).is_file()]
    return [*frameworks, files[0]]


def versions(record: dict[str, Any]) -> dict[str, str]:
    """Return the versions of the frameworks that were installed when a run was made, by name.

    >>> versions({"packages": {"keras": "3.15.1", "tensorflow-cpu": "2.21.0", "numpy": "2.4.0"}})
    {'Keras': '3.15.1', 'TensorFlow': '2.21.0'}
    """
    packages = record["packages"]
    return {name: packages[key] for key, (name, _) in SOFTWARE.items() if key in packages}


def add_file(crate: ROCrate, folder: Path, path: str, title: str) -> Entity:
    """Add a file of the crate, with its size and its checksum."""
    kind = FORMATS.get(Path(path).suffix, "text/plain")
    properties = {"name": title, "description": f"{title} ({path})", "encodingFormat": kind}
    return crate.add_file(folder / path, path, properties=properties | checksum(folder / path))


def checksum(path: Path) -> dict[str, str]:
    """Return a file's size in bytes and its digest, as a crate states them."""
    return {"contentSize": str(path.stat().st_size), "sha256": sha256_of(path)}


def add_inputs(crate: ROCrate, folder: Path, parts: list[Part], record: dict[str, Any]) -> list[tuple[Part, Entity]]:
    """Add the configuration and every file that the run was made from."""
    configuration = Part(
        crate_files.CONFIGURATION, folder / crate_files.CONFIGURATION,
        f"The configuration of {record['run']} alone, every default written out", "configuration", is_input=True,
    )  # fmt: skip
    found = [configuration, *(part for part in parts if part.is_input)]
    return [(part, add_file(crate, folder, part.path, part.title)) for part in found]


def add_digests(crate: ROCrate, record: dict[str, Any]) -> list[tuple[Part, Entity]]:
    """Add by its SHA-256 what the run was made from and the crate does not hold: the photos, pretrained weights."""
    source = record["data"].get("source") or {}
    digests = {name: (digest, f"The pretrained weights {name}") for name, digest in record["weights"].items()}
    if photos := source.get("photos"):
        digests["photos"] = (photos["sha256"], f"The {photos['n']} photos of {record['dataset']}, all together")
    if source.get("sha256"):
        digests["archive"] = (source["sha256"], f"The archive that the photos of {record['dataset']} came in")
    found = []
    for name, (digest, title) in digests.items():
        slot = name if name in ("photos", "archive") else "weights"
        properties = {
            **{"@type": "PropertyValue", "name": f"SHA-256 of {name}", "description": title},
            **{"propertyID": TERMS + "sha256", "value": digest},
        }
        entity = crate.add_jsonld({"@id": f"#sha256-of-{quote(name)}", **properties})
        found.append((Part(name, Path(), title, slot, is_input=True), entity))
    return found


def add_address(crate: ROCrate, record: dict[str, Any]) -> list[tuple[Part, Entity]]:
    """Add where the photos were downloaded from, if they were."""
    source = record["config"]["datasets"][record["dataset"]].get("source") or {}
    address = address_of_photos(source)
    if not address:
        return []
    title = f"Where the photos of {record['dataset']} were downloaded from"
    properties = {"name": record["dataset"], "description": title}
    arrived = record["data"].get("source") or {}
    if source.get("url"):
        known = {"sha256": arrived.get("sha256"), "contentSize": str(arrived.get("n_bytes") or "")}
        known["encodingFormat"] = "application/zip" if address.endswith(".zip") else "application/x-tar"
        properties |= {name: value for name, value in known.items() if value}
        entity = crate.add_file(address, properties=properties)
    else:
        entity = crate.add_dataset(address, properties=properties)
    return [(Part(address, Path(), title, "download", is_input=True), entity)]


def address_of_photos(source: dict[str, Any]) -> str:
    """Return the public address of a data set's source; nothing for a folder or an archive of one's own.

    >>> address_of_photos({"kaggle": "owner/photos/3"}), address_of_photos({"folder": "/home/ada/photos"})
    ('https://www.kaggle.com/datasets/owner/photos/versions/3', '')
    """
    if name := source.get("kaggle"):
        owner, photos, *version = name.split("/")
        return f"https://www.kaggle.com/datasets/{owner}/{photos}" + "".join(f"/versions/{one}" for one in version)
    if name := source.get("competition"):
        return f"https://www.kaggle.com/competitions/{name}"
    return str(source.get("url") or "").partition("?")[0]


def add_slots(crate: ROCrate, kind: str, pairs: list[tuple[Part, Entity]]) -> list[Entity]:
    """Add the workflow's inputs or outputs, of which the given entities are examples; return them.

    Args:
        crate: to add to.
        kind: `input` or `output`.
        pairs: files or values, each with its description.
    """
    slots = []
    for name in dict.fromkeys(part.parameter for part, _ in pairs):
        examples = [entity for part, entity in pairs if part.parameter == name]
        slot = crate.add_formal_parameter(name, kind_of(examples[0]), f"#{kind}-{name}", f"An {kind} of Graft: {name}")
        slot["workExample"] = examples if len(examples) > 1 else examples[0]
        for entity in examples:
            entity["exampleOfWork"] = slot
        slots.append(slot)
    return slots


def kind_of(entity: Entity) -> str:
    """Return the kind of thing that an input or output is, as profiles call it."""
    return next(kind for kind in ("File", "Dataset", "PropertyValue") if kind in entity.type)


def add_action(crate: ROCrate, workflow: Entity, record: dict[str, Any], began: str | None) -> Entity:
    """Add the run itself: what ran, when, on what, and what it took."""
    machine = record["machine"]
    device = next(iter(sorted(note["device"] for note in record["devices"].values() if "device" in note)), "")
    where = f"On {device or machine['processor']}, Python {machine['python']}, {machine['platform']}."
    properties = {
        "@type": "CreateAction",
        "name": f"The run {record['run']}",
        "description": f"{in_words(record)} {where}",
        "endTime": datetime.fromisoformat(record["recorded"]).isoformat(),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    if began:
        properties["startTime"] = began
    action = crate.add_action(workflow, "#run", properties=properties)
    usage = [
        crate.add_jsonld(
            {
                "@id": f"#{part}-{key.replace('_', '-')}",
                **{"@type": "PropertyValue", "name": f"{part}: {name}", "propertyID": f"{part}.{key}"},
                **{"value": str(cost[key]), "unitText": unit},
            }
        )
        for part, cost in sorted(record["costs"].items())
        for key, name, unit in (("seconds", "time", "seconds"), ("peak_memory_mb", "most memory", "MB"))
    ]
    if usage:
        action["resourceUsage"] = usage
    return action
