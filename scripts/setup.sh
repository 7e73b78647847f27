#!/bin/sh
# Installs what the project needs, says what it does, and is quick the second time.
#   setup.sh         the npm packages (the right Node among them)
#   setup.sh test    also the Debian packages whose real daemons and checkers the tests use
set -eu
cd "$(dirname "$0")/.."

# One that a stopped `npm pack` left would take the place of package-lock.json.
rm -f npm-shrinkwrap.json

stamp=node_modules/.installed-from
# A person may have said `npm ci` already: npm writes its own list last.
if [ ! -e "$stamp" ] && [ node_modules/.package-lock.json -nt package-lock.json ]; then cp package-lock.json "$stamp"; fi
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
  echo "setup: installing the npm packages of package-lock.json"
  npm ci --no-audit --no-fund
  cp package-lock.json "$stamp"
fi
# npm leaves an optional package out without an error, also one that is not what package-lock.json says.
case "$(uname -sm)" in
  "Linux x86_64" | "Linux aarch64")
    if [ ! -x node_modules/.bin/node ]; then
      rm -f "$stamp"
      echo "setup: the Node of this checkout is not installed: npm could not fetch node-linux-… of package-lock.json, or it has another integrity" >&2
      exit 1
    fi
    ;;
esac

[ "${1:-}" = test ] || exit 0

PATH=$PATH:/usr/sbin:/sbin
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need dhcpd isc-dhcp-server
need omshell isc-dhcp-server
need kea-dhcp4 kea-dhcp4-server
need kea-dhcp6 kea-dhcp6-server
need kea-admin kea-admin
need udhcpc udhcpc
need dhclient isc-dhcp-client
need ip iproute2
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
need named-checkzone bind9-utils
need named bind9
need dig bind9-dnsutils
need nsupdate bind9-dnsutils
need tsig-keygen bind9
need postmap postfix
[ -e /usr/lib/postfix/postfix-lmdb.so ] || missing="$missing postfix-lmdb"
[ -e /usr/lib/postfix/postfix-cdb.so ] || missing="$missing postfix-cdb"
need nft nftables
need ip iproute2
need ping iputils-ping
need zstd zstd
need freeradius freeradius
need radclient freeradius-utils
need setquota quota
need rabbitmqctl rabbitmq-server
need slapd slapd
need ldapmodify ldap-utils
need openssl openssl
need strace strace
/usr/bin/python3 -c 'import pika' 2>/dev/null || missing="$missing python3-pika"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "setup: this machine has no apt-get: install the equivalents of$missing by hand" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
  as_root="sudo -n"
  $as_root true 2>/dev/null || { echo "setup: run as root, or: apt-get install$missing" >&2; exit 1; }
fi
apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -q"
[ -n "$(apt-get indextargets 'Created-By: Packages')" ] || $apt update >/dev/null

# A release may have dropped a package (Debian 14 has no ISC DHCP): the tests that need it say so and are left out.
wanted= absent=
for package in $(printf '%s\n' $missing | sort -u); do
  if apt-cache policy "$package" | grep -q '^  Candidate: [^(]'; then wanted="$wanted $package"; else absent="$absent $package"; fi
done
[ -z "$absent" ] || echo "setup: left out, because this machine's apt sources have no such package:$absent"
[ -n "$wanted" ] || exit 0

echo "setup: installing the Debian packages that the tests use:$wanted"
# Nothing that is installed for the tests may start a daemon of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -x "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086
$apt install -y --no-install-recommends $wanted >/dev/null || { $apt update >/dev/null && $apt install -y --no-install-recommends $wanted >/dev/null; }
