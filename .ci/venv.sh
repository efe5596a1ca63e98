#!/bin/sh
# Make .venv and install this project into it: .ci/venv.sh app | test
# `app` is what the program needs with its window; `test` adds training and development tools.
set -eu
cd "$(dirname "$0")/.."
kind=${1:?"usage: .ci/venv.sh app|test"}

# The first Python >= 3.11 there is; PYTHON=... chooses another.
find_python() {
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "penapp needs Python 3.11 or newer; found: $(python3 --version 2>&1 || echo none)." >&2
    exit 1
}

make_venv() {
    python=$(find_python)
    rm -rf .venv
    "$python" -m venv .venv && return
    rm -rf .venv
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -q || echo "apt-get update failed; trying with what is known" >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "python$version-venv"
        "$python" -m venv .venv
        return
    fi
    echo "Python cannot make a virtual environment. On Debian or Ubuntu: sudo apt-get install python$version-venv" >&2
    exit 1
}

.venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || make_venv
case $kind in
app)
    .venv/bin/python -m pip install -q -e ".[app]"
    ;;
test)
    # torch first and exactly: what the shipped model was trained and exported with.
    .venv/bin/python -m pip install -q "torch==2.13.0"
    .venv/bin/python -m pip install -q -e ".[app,train,dev]"
    ;;
*)
    echo ".ci/venv.sh: '$kind' is neither app nor test" >&2
    exit 2
    ;;
esac
touch ".venv/.installed-$kind"
