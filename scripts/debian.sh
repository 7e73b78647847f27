#!/bin/sh
# Runs a command, or test files, on another Debian: in a root of its own, made by debootstrap once and entered with own mounts, processes and network.
set -eu
cd "$(dirname "$0")/.."

cache=${TRIGGER_DEBIAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/trigger/debian}
usage() {
  cat <<END
usage: scripts/debian.sh RELEASE [COMMAND…]      runs a command in a root of that Debian (a shell, if none is given)
       scripts/debian.sh --test RELEASE [FILE…]  runs test files there (all of them, if none is given)

RELEASE is bookworm, trixie or forky. The checkout is at /srv/trigger there, read and write, and node is the checkout's own.
Network: loopback alone. /run ends with the command, /tmp stays until the next one; every other change stays in the root.
Environment: none of this one's; set what a command needs: scripts/debian.sh trixie env SEED=1 node --test FILE

The root is made at the first run, from the mirror of this machine's apt sources: some minutes, 800 MB. It is in
  $cache
(elsewhere with TRIGGER_DEBIAN_CACHE=FOLDER). Delete the folder of a release there to have it made again.

Exit code: the command's; 2 for a wrong call; 125 where the root could not be made.
END
}
say() { echo "debian: $*" >&2; }
fail() { say "$*"; exit 125; }

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
tests=
if [ "${1:-}" = --test ]; then tests=yes; shift; fi
case "${1:-}" in
  bookworm | trixie | forky) release=$1; shift ;;
  *) say "the release must be bookworm, trixie or forky, not \"${1:-}\""; usage >&2; exit 2 ;;
esac
if [ -n "$tests" ]; then
  [ $# -gt 0 ] || set -- "src/**/*.test.ts" "test/*.test.ts" "test/!(simulation)/**/*.test.ts"
  set -- node --test --test-concurrency=2 --test-timeout=300000 "$@"
fi
[ $# -gt 0 ] || set -- bash
[ "$(id -u)" = 0 ] || fail "only root can make and enter a root: run this with sudo"

root=$cache/$release
log=$cache/$release.log

# Runs a command with mounts and processes of its own: none is left behind, however this script ends.
alone() { setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc "$@"; }

# enter ROOT NETWORK COMMAND…: runs a command in a root, with no network (own) or with that of this machine (host).
# A shell stays as the first process: it collects what daemons leave behind, and with it ends everything in the root.
# shellcheck disable=SC2016
inside='
  set -eu
  root=$1 repository=$2 network=$3; shift 3
  mount --bind "$root" "$root"   # without a mount of its own at / "ip netns exec" fails
  cd "$root"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  [ ! -d /sys/fs/cgroup ] || mount --rbind /sys/fs/cgroup sys/fs/cgroup
  mount --rbind /dev dev
  mount -t tmpfs -o mode=1777 tmpfs dev/shm
  mount -t tmpfs -o mode=755 tmpfs run
  mkdir run/lock
  mount --bind "$repository" srv/trigger
  hostname localhost
  ip link set lo up
  if [ "$network" = host ]; then
    for file in etc/hosts etc/resolv.conf; do mount --bind "$(readlink -f "/$file")" "$file"; done
  fi
  exec 9>&-
  code=0
  chroot . /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/srv/trigger/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    sh -c "cd /srv/trigger && exec \"\$@\"" in-root "$@" || code=$?
  exit "$code"'
enter() {
  from=$1 network=$2
  shift 2
  own=--net
  [ "$network" = own ] || own=
  alone --uts --ipc ${own:+"$own"} sh -c "$inside" enter "$from" "$PWD" "$network" "$@"
}

# The lines of sources.list for the release and its updates, as far as the mirrors of this machine have them.
sources() {
  found=$(mktemp -d)
  chmod 755 "$found"
  apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' | awk '!seen[$0]++' >"$found/mirrors"
  for suite in "$release" "$release-updates" "$release-security"; do
    while read -r mirror; do
      /usr/lib/apt/apt-helper download-file "${mirror}dists/$suite/InRelease" "$found/InRelease" >/dev/null 2>&1 || continue
      grep -q '^Origin: Debian$' "$found/InRelease" || continue
      echo "deb $mirror $suite main"
      break
    done <"$found/mirrors"
  done
  rm -rf "$found"
}

install_debootstrap() {
  command -v debootstrap >/dev/null 2>&1 && return
  say "installing debootstrap"
  apt="env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -q"
  install="$apt install -y --no-install-recommends debootstrap"
  { $install || { $apt update && $install; }; } >>"$log" 2>&1 || broken "debootstrap cannot be installed"
}

broken() {
  tail -n 20 "$log" >&2
  fail "$*; all of it is in $log"
}

# What a root notes after scripts/setup.sh has run in it: without that of this setup.sh it is not whole. Checkouts that differ share a root.
setup_sum() { cksum <scripts/setup.sh; }
is_whole() { grep -qxF "$(setup_sum)" "$root/etc/trigger-root" 2>/dev/null; }

make_root() {
  new=$cache/$release.new
  rm -rf --one-file-system "$new"
  lines=$(sources)
  mirror=$(echo "$lines" | awk -v suite="$release" '$3 == suite { print $2 }')
  [ -n "$mirror" ] || fail "no mirror of this machine's apt sources has $release: add one that has, or \"apt-get indextargets\" shows why"
  install_debootstrap
  say "making a root of $release in $root, from $mirror"
  scripts=/usr/share/debootstrap/scripts
  script=$scripts/$release
  [ -e "$script" ] || script=$scripts/sid   # an older debootstrap does not know the newer releases; all since bullseye are made alike
  alone debootstrap --variant=minbase --include=ca-certificates,iproute2,procps,netbase \
    "$release" "$new" "$mirror" "$script" >>"$log" 2>&1 || broken "debootstrap failed"
  echo "$lines" >"$new/etc/apt/sources.list"
  apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])\b' >"$new/etc/apt/apt.conf.d/00machine" || true
  echo force-unsafe-io >"$new/etc/dpkg/dpkg.cfg.d/unsafe-io"
  printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"   # nothing that is installed may start a daemon
  chmod 755 "$new/usr/sbin/policy-rc.d"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$new/etc/hosts"
  rm -f "$new/etc/resolv.conf"
  : >"$new/etc/resolv.conf"
  echo localhost >"$new/etc/hostname"
  mkdir "$new/srv/trigger"
  enter "$new" host apt-get -q update >>"$log" 2>&1 || broken "apt-get update fails in the root"
  mv "$new" "$root"
}

complete() {
  : >"$log"
  [ -d "$root" ] || make_root
  say "installing what the tests use in the root of $release"
  enter "$root" host sh scripts/setup.sh test >>"$log" 2>&1 || broken "scripts/setup.sh test fails in the root"
  enter "$root" own apt-get clean
  setup_sum >>"$root/etc/trigger-root"
  say "the root of $release is ready"
}

sh scripts/setup.sh >&2
mkdir -p "$cache"
# Shared while a command runs, exclusive while a root is made: no root changes under a run, and two runs never make the same one.
exec 9>"$cache/$release.lock"
lock() { flock -n "$1" 9 || { say "waiting: another run $2"; flock "$1" 9; }; }
lock -s "makes this root"
until is_whole; do
  flock -u 9
  lock -x "makes or uses this root"
  is_whole || complete
  flock -s 9
done
if flock -n -x 9; then find "$root/tmp" -xdev -mindepth 1 -delete; fi
flock -s 9
enter "$root" own "$@"
