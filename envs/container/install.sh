#!/bin/sh
# Make /opt/graft, a Python environment with every package of the locks that are named. The Dockerfile and graft.def both
# call it, so that an image is the same whichever of them made it. Usage: install.sh LOCK...
set -eu
here=$(dirname "$0")

python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
    { echo "graft: the base image needs Python 3.11, 3.12 or 3.13" >&2; exit 1; }

# With git, provenance.json says which commit ran. A container sees no repository but the one that it is shown.
if ! command -v git >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends git
    rm -rf /var/lib/apt/lists/*
fi
git config --system --add safe.directory '*'

python3 -m venv /opt/graft
for lock in "$@"; do # a lock names all that its packages need, so pip need not look for more
    /opt/graft/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$here/$lock"
done
