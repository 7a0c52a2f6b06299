#!/bin/sh
# Say plainly what this machine lacks; print the Python to use when nothing is missing.
missing=
lacks() { missing="$missing
  - $1"; }

python=
for candidate in "${PYTHON:-}" python3.11 python3 /usr/bin/python3.11 /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' \
        2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || lacks "Python 3.11 with venv (Debian: python3.11-venv); name it with PYTHON=..."

machine=$(uname -m)
[ "$(uname -s)" = Linux ] && [ "$machine" = x86_64 ] ||
    lacks "Linux on x86_64 (this is $(uname -s) on $machine): the XLS compiler exists for no other"

for tool in flock getconf sha256sum; do
    command -v "$tool" >/dev/null || lacks "$tool (Debian: util-linux, libc-bin, coreutils)"
done

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
oldest=$(printf '%s\n2.34\n' "${glibc:-0}" | sort -V | head -n 1)
[ "$oldest" = 2.34 ] || lacks "glibc 2.34 or later (this is ${glibc:-another C library})"

for tool in g++ make perl; do
    command -v "$tool" >/dev/null || lacks "$tool (Verilator needs it to build a simulation)"
done

# venv refuses a colon, setuptools expands $ and {}, XLS does not quote " and \ in file names, a .pth
# file is read by lines. All other characters work.
wrong=
for mark in '$' ':' '{' '}' '"' '\'; do
    case $PWD in *"$mark"*) wrong="$wrong $mark" ;; esac
done
control=$(LC_ALL=C; case $PWD in *[[:cntrl:]]*) echo yes ;; esac)  # no byte of a letter is one in C
[ -z "$control" ] || wrong="$wrong a control character (line break, tab, ...)"
if [ -n "$python" ] && ! "$python" -c 'import os; os.getcwdb().decode("utf-8")' 2>/dev/null; then
    wrong="$wrong a byte that is not UTF-8"
fi
[ -z "$wrong" ] || lacks "a path that its tools can take ('$PWD' holds$wrong): move the clone"

if [ -n "$missing" ]; then
    printf 'This machine lacks:%s\n' "$missing" >&2
    exit 1
fi
printf '%s\n' "$python"
