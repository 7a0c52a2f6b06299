#!/bin/sh
# Make .venv from requirements.lock. Its stamp is written last: an interrupted set-up starts over.
set -eu
cd "$(dirname "$0")/.."
for tool in flock sha256sum; do
    command -v "$tool" >/dev/null || { ./.ci/check-host.sh; exit 1; }
done
mkdir -p .setup
exec 9> .setup/lock
flock 9  # two at once: the second waits and finds the work done
stamp=.venv/.setup-complete
lock=$(sha256sum < requirements.lock | cut -d' ' -f1)
wanted="$lock $(sha256sum < pyproject.toml | cut -d' ' -f1)"
found=$(cat "$stamp" 2>/dev/null || true)
if [ -x .venv/bin/python ] && [ "$found" = "$wanted" ]; then
    exit 0
fi
python=$(./.ci/check-host.sh)
if [ ! -x .venv/bin/python ] || [ "${found%% *}" != "$lock" ]; then
    echo "setup: making .venv with $python (a few minutes, about 3 GB)"
    rm -f "$stamp"
    "$python" -m venv --clear .venv
fi
rm -f "$stamp"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements.lock
# Python reads a .pth file in the locale's encoding before anything else, and gives up where that
# fails (LC_ALL=C and an umlaut in the path). Relative to its own folder the path is plain.
LC_ALL=C.UTF-8 .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation -e .
for pth in .venv/lib/python3.11/site-packages/__editable__.shiftflow-*.pth; do
    [ ! -f "$pth" ] || echo ../../../.. > "$pth"
done
echo "setup: preparing Yosys and nextpnr (once, about half a minute)"
.venv/bin/python -m flow.synth.warm_up
echo "$wanted" > "$stamp"
echo "setup: done"
