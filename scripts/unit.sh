#!/bin/sh
# The fast lane: every test that needs no Debian package (test/lanes.ts), in a few processes.
# In place of each program of such a package stands one that notes its start, which fails the lane.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh

# Random input is a tenth of what `npm test` gives.
export TRIGGER_FUZZ="${TRIGGER_FUZZ:-0.1}"

# Makes the folder of this run in another one: the stand-ins, and what the tests write. 1 if it does not fit there.
run=
folder_in() {
  run=$(mktemp -d "$1/trigger-unit.XXXXXX" 2>/dev/null) || return 1
  mkdir "$run/bin" "$run/tmp"
  cat >"$run/bin/.stub" <<'END'
#!/bin/sh
echo "${0##*/} $*" >>"${0%/*}/.started"
echo "the fast lane starts no program of a Debian package: ${0##*/}" >&2
exit 97
END
  chmod 755 "$run" "$run/bin" "$run/bin/.stub"
  room=$(df -Pk "$run" | awk 'NR == 2 { print $4 }')
  if [ "${room:-0}" -lt 524288 ]; then return 1; fi
  "$run/bin/.stub" 2>/dev/null || [ $? = 97 ] || return 1
  rm "$run/bin/.started"
}
pids=
clean() {
  # shellcheck disable=SC2086
  if [ -n "$pids" ]; then kill $pids 2>/dev/null || :; fi
  if [ -n "$run" ]; then rm -rf "$run"; fi
}
trap clean EXIT
trap 'exit 130' INT TERM
# In memory no test waits for a disk. A container's /dev/shm is often too small, or runs no programs.
if [ -n "${TMPDIR:-}" ] || ! folder_in /dev/shm; then
  rm -rf "$run"
  folder_in "${TMPDIR:-/tmp}" || { echo "the fast lane needs 512 MB in ${TMPDIR:-/tmp}" >&2; exit 1; }
fi
export TMPDIR="$run/tmp"
for program in $(node test/lanes.ts programs); do ln -s .stub "$run/bin/$program"; done

# A process finds its modules compiled, whichever test starts it.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$PWD/node_modules/.compile-cache}"

# Most garbage of a test is young: with room for it there is an eighth less to compute.
one_of() {
  files=$(node test/lanes.ts "$1")
  PATH=$run/bin:$PATH
  # shellcheck disable=SC2086
  exec node --max-semi-space-size=32 --test --test-isolation=none --test-reporter=dot --test-timeout=60000 \
    --import ./test/few-runs.ts $files >"$run/$1" 2>&1
}
processes=$(node test/lanes.ts processes)
for number in $processes; do
  one_of "$number" &
  pids="$pids $!"
done
code=0
for pid in $pids; do wait "$pid" || code=1; done
pids=
for number in $processes; do cat "$run/$number"; done
if [ -e "$run/bin/.started" ]; then
  echo "a test of the fast lane started a program of a Debian package; import its server from test/servers:"
  sort -u "$run/bin/.started"
  code=1
fi
exit "$code"
