#!/bin/sh
# Makes .venv with what a lock names, by uv where it can be had and by pip where not. Says what it does, or why it cannot.
set -eu
lock=$1 mark=$2
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "syncd needs Python 3.11 or newer; '$python' is not. Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
if [ ! -x .venv/bin/python ]; then
  echo "syncd: making .venv" >&2
  "$python" -m venv .venv || { echo "syncd: .venv could not be made; on Debian install python3-venv first" >&2; exit 1; }
fi
echo "syncd: installing what $lock names" >&2
if .venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv<1' 2>/dev/null; then
  VIRTUAL_ENV=.venv .venv/bin/uv pip install --quiet --require-hashes -r "$lock" || failed=1
else
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" || failed=1
fi
[ -z "${failed:-}" ] || { echo "syncd: packages could not be installed; is the package registry reachable?" >&2; exit 1; }
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$(pwd)" > "$site/syncd.pth"
printf '#!/bin/sh\nexec "%s/.venv/bin/python" -m syncd "$@"\n' "$(pwd)" > .venv/bin/syncd
chmod +x .venv/bin/syncd
[ "$lock" != requirements-test.lock ] || touch .venv/.ready
touch "$mark"
