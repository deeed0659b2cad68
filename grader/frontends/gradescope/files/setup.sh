#!/usr/bin/env bash
# Runs once, as root, when the image is built. Installs the grader into a virtual environment of its
# own: the system's python3 belongs to the platform.
set -euo pipefail

root=${GRADER_ROOT:-/autograder}
venv=${GRADER_VENV:-/opt/grader}
source=$root/source

if [ -f "$source/settings.sh" ]; then
    . "$source/settings.sh"
fi
# Only root may enter: workers run under other user ids, and the answers are here.
chmod 700 "$source"

# What hidden data are drawn from. Without the instructor's, the image makes its own: all runs of one
# image draw the same.
if [ ! -f "$source/seed" ]; then
    (umask 077 && python3 -c 'import secrets; print(secrets.token_hex(32))' >"$source/seed")
fi
chmod 600 "$source/seed"

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 python3-venv
    rm -rf /var/lib/apt/lists/*
fi
python3 - <<'PYTHON'
import sys

if sys.version_info < (3, 10):
    found = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"setup.sh: this image has Python {found}; choose a base image with 3.10 or newer")
PYTHON

python3 -m venv "$venv"
wheels=("$source"/*.whl)
if [ -f "${wheels[0]}" ]; then
    engine=${wheels[0]}
else
    engine=$source/engine
fi
constraints=()
if [ -f "$source/constraints.txt" ]; then
    constraints=(--constraint "$source/constraints.txt")
fi
# PIP_ARGS is split into words on purpose. Unpinned indexes would choose torch with gigabytes of CUDA.
# shellcheck disable=SC2086
"$venv/bin/python" -m pip install --no-cache-dir --disable-pip-version-check \
    ${GRADER_PIP_ARGS---extra-index-url https://download.pytorch.org/whl/cpu} \
    "${constraints[@]}" "$engine[grading]"

# Fails the build, and not the first student, if the rubric or the reference cannot be read. Then it
# draws the data sets, so that no run has to.
GRADER_SEED_FILE=${GRADER_SEED_FILE-$source/seed} "$venv/bin/python" -m grader.frontends.gradescope.preparing \
    "$source/assignment/rubric.yaml"
