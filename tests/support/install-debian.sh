#!/bin/sh
# Installs the Debian packages of the real programs that the tests drive. Does nothing where all are there.
# Without root or passwordless sudo it says which tests will be skipped, and that is no failure here:
# tests/conftest.py skips them by name, and fails them when CI=true.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# program:package
table='
chromedriver:chromium-driver
chromium:chromium
curl:curl
danted:dante-server
dig:bind9-dnsutils
dnsmasq:dnsmasq-base
ethtool:ethtool
groff:groff-base
ip:iproute2
mandoc:mandoc
microsocks:microsocks
nc.openbsd:netcat-openbsd
nft:nftables
nginx:nginx-light
node:nodejs
npm:npm
redis-server:redis-server
ssh-keygen:openssh-client
ssh:openssh-client
sshd:openssh-server
systemd-analyze:systemd
tinyproxy:tinyproxy-bin
tor-gencert:tor
tor:tor
turnserver:coturn
'

programs=
packages=
for entry in $table; do
    if ! command -v "${entry%%:*}" >/dev/null 2>&1; then
        programs="$programs ${entry%%:*}"
        packages="$packages ${entry#*:}"
    fi
done
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "== This is no Debian: tests that need$programs will be skipped unless you install them."
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "== Not root, and sudo asks for a password: tests that need$programs will be skipped. To run them too:"
    echo "   apt-get install --no-install-recommends$packages"
    exit 0
fi

echo "== installing$packages"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the lists are words
if ! { $as_root apt-get update && $as_root apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "== The packages could not be installed." >&2
    exit 1
fi
