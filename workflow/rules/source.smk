# Where this workflow's own files lie, wherever it was taken from.
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from snakemake.sourcecache import HostingProviderFile, LocalGitFile


def folder_of_workflow(rules):
    """Return the folder of this workflow's files, the one that holds config/ and workflow/.

    Args:
        rules: where Snakemake found these rules: a folder; or, where another workflow takes Graft from git, a commit.
    """
    if isinstance(rules, LocalGitFile):
        return unpacked(rules.repo_path, rules.ref) / Path(rules.path).parents[1]
    if isinstance(rules, HostingProviderFile):
        return unpacked(rules.hosted_repo.repo.git_dir, rules.ref) / Path(rules.path).parents[1]
    return Path(str(rules)).parents[1]


def unpacked(repository, ref):
    """Return a folder with every file of a commit.

    Snakemake brings one file at a time from git, but a script imports a whole library. The folder lies in the working
    directory, which the nodes of a cluster see too.
    """
    git = ["git", "-C", str(repository)]
    commit = subprocess.check_output([*git, "rev-parse", f"{ref}^{{commit}}"], text=True).strip()
    folder = Path(".snakemake", "graft", commit).absolute()
    if not folder.is_dir():
        part = folder.with_name(f"{commit}.{os.getpid()}")
        with tarfile.open(fileobj=io.BytesIO(subprocess.check_output([*git, "archive", commit]))) as archive:
            archive.extractall(part, filter="data")
        try:
            part.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(part)
    return folder
