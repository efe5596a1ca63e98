#!/bin/sh
# Are the system libraries there that Qt needs? .ci/qt-libraries.sh window | offscreen
# Installs them as root on Debian-like systems, otherwise names the command. 0 = there, 1 = still missing.
set -eu
cd "$(dirname "$0")/.."
kind=${1:?"usage: .ci/qt-libraries.sh window|offscreen"}
packages="libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libfreetype6 libglib2.0-0"

# Only Linux keeps them apart from the wheel.
[ "$(uname -s)" = Linux ] || exit 0
plugin=offscreen
if [ "$kind" = window ]; then
    if [ -n "${DISPLAY:-}" ]; then
        plugin=xcb
        packages="$packages libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 libx11-xcb1"
    elif [ -n "${WAYLAND_DISPLAY:-}" ]; then
        plugin=wayland
        packages="$packages libwayland-client0 libwayland-cursor0 libwayland-egl1"
    else
        exit 0
    fi
fi

missing() {
    for library in .venv/lib/python*/site-packages/PySide6/Qt/lib/libQt6Widgets.so.6 \
        .venv/lib/python*/site-packages/PySide6/Qt/plugins/platforms/libq"$1".so; do
        [ -e "$library" ] && ldd "$library" | awk '/not found/ {print $1}'
    done | sort -u
}

absent=$(missing $plugin)
[ -n "$absent" ] || exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "installing the system libraries Qt needs ($(echo "$absent" | tr '\n' ' '))"
    apt-get update -q || echo "apt-get update failed; trying with what is known" >&2
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages || true
    absent=$(missing $plugin)
    [ -n "$absent" ] || exit 0
fi
echo "Qt cannot work here, these libraries are missing: $(echo "$absent" | tr '\n' ' ')" >&2
# shellcheck disable=SC2086
echo "On Debian or Ubuntu: sudo apt-get install" $packages >&2
exit 1
