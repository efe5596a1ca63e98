#!/bin/sh
# Is there a dbus-daemon for the tests of Bluetooth on Linux? Installs it as root on Debian-like systems,
# otherwise names the command. Always 0: without it those tests are skipped and say so.
set -eu
[ "$(uname -s)" = Linux ] || exit 0
command -v dbus-daemon >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "installing dbus for the tests of Bluetooth"
    apt-get update -q || echo "apt-get update failed; trying with what is known" >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends dbus || true
fi
command -v dbus-daemon >/dev/null ||
    echo "no dbus-daemon here: tests of Bluetooth are skipped. On Debian or Ubuntu: sudo apt-get install dbus" >&2
