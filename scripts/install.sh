#!/bin/sh
# Make a virtual environment and install this project into it, editable.
#
#   scripts/install.sh FOLDER EXTRA [REQUIREMENT…]     e.g. scripts/install.sh .venv dev
#
# Requirements are installed along with it, and say which version of a package it shall be.
# uv installs in about a fifth of pip's time. Where it cannot (it does not read pip's
# configuration, so an index set for pip alone is unknown to it), pip does the work.
# PYTHON names the interpreter; otherwise the first suitable one on PATH is taken.
set -eu

folder=$1
extra=$2
shift 2
oldest='(3, 10)'
beyond='(3, 14)'

suits() {
    "$1" -c "import sys, venv, ensurepip; sys.exit(not $oldest <= sys.version_info[:2] < $beyond)" \
        >/dev/null 2>&1
}

choose() {
    if [ -n "${PYTHON:-}" ]; then
        suits "$PYTHON" && echo "$PYTHON" && return
        echo "PYTHON=$PYTHON is not Python 3.10 to 3.13 with venv" >&2
        return 1
    fi
    # 3.11 is the version that CI runs; after it the newest first.
    for name in python3.11 python3.13 python3.12 python3.10 python3 python; do
        suits "$name" && echo "$name" && return
    done
    echo "No Python 3.10 to 3.13 with the venv module was found on PATH." >&2
    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name it:" >&2
    echo "  make $extra PYTHON=/path/to/python3.11" >&2
    return 1
}

if ! "$folder/bin/python" -c "" >/dev/null 2>&1; then
    python=$(choose)
    echo "making $folder with $("$python" --version)"
    "$python" -m venv --clear "$folder"
fi

echo "installing sagedag and what it needs into $folder; the first time takes a minute or two"
python=$folder/bin/python
if { [ -x "$folder/bin/uv" ] || "$python" -m pip install --quiet --disable-pip-version-check uv; } \
    && "$folder/bin/uv" pip install --quiet --python "$python" --compile-bytecode \
        --editable ".[$extra]" "$@"
then
    exit 0
fi
echo "uv could not install it; pip can take five minutes longer"
exec "$python" -m pip install --quiet --disable-pip-version-check --editable ".[$extra]" "$@"
