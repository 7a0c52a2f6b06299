#!/bin/sh
# Make .venv from requirements.lock. Its stamp is written last: an interrupted set-up starts over.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .setup
exec 9> .setup/lock
flock 9  # two at once: the second waits and finds the work done
stamp=.venv/.setup-complete
wanted=$(cat requirements.lock pyproject.toml | sha256sum | cut -d' ' -f1)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
python=$(./.ci/check-host.sh)
if [ ! -f "$stamp" ]; then
    echo "setup: making .venv with $python (a few minutes, about 3 GB)"
    "$python" -m venv --clear .venv
fi
rm -f "$stamp"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation -e .
echo "$wanted" > "$stamp"
echo "setup: done"
