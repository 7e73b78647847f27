#!/bin/sh
# The fast lane: every test that needs no Debian package (test/lanes.ts), in two processes.
# In place of each program of such a package stands one that notes its start, which fails the lane.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh

# Random input is a tenth of what `npm test` gives.
export TRIGGER_FUZZ="${TRIGGER_FUZZ:-0.1}"

stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
cat >"$stubs/.stub" <<'END'
#!/bin/sh
echo "${0##*/} $*" >>"${0%/*}/.started"
echo "the fast lane starts no program of a Debian package: ${0##*/}" >&2
exit 97
END
chmod 755 "$stubs/.stub"
for program in $(node test/lanes.ts programs); do ln -s .stub "$stubs/$program"; done

# A process finds its modules compiled, whichever test starts it.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$PWD/node_modules/.compile-cache}"

half() {
  files=$(node test/lanes.ts "$1")
  PATH=$stubs:$PATH
  # shellcheck disable=SC2086
  exec node --test --test-isolation=none --test-reporter=dot --test-timeout=60000 --import ./test/few-runs.ts $files >"$stubs/.$1" 2>&1
}
half 1 & first=$!
half 2 & second=$!
trap 'kill "$first" "$second" 2>/dev/null; exit 130' INT TERM
code=0
wait "$first" || code=1
cat "$stubs/.1"
wait "$second" || code=1
cat "$stubs/.2"
if [ -e "$stubs/.started" ]; then
  echo "a test of the fast lane started a program of a Debian package; import its server from test/servers:"
  sort -u "$stubs/.started"
  code=1
fi
exit "$code"
