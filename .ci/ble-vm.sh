#!/bin/sh
# Real BlueZ and a real kernel against the virtual pen, in an emulated machine: .ci/ble-vm.sh   (make ble-vm)
# Everything but the radio waves is real: kernel, BlueZ, D-Bus, bleak, our client. Needs no KVM and no adapter.
# Boots a stock Debian kernel in QEMU (TCG) with this machine's root shared read-only; tests/ble_vm/guest.py checks.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-$PWD/.venv/bin/python}
work=build/ble-vm
limit_s=${BLE_VM_LIMIT_S:-600}
modules="virtio_pci 9pnet_virtio 9p overlay cmac ecb algif_hash algif_skcipher hci_vhci"

need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null && return
    echo "make ble-vm needs $1: apt-get install $2" >&2
    exit 1
}

PATH="$PATH:/usr/sbin:/sbin:/usr/libexec/bluetooth"
need qemu-system-x86_64 qemu-system-x86
need bluetoothd bluez
need dbus-daemon dbus
need busybox busybox-static
need depmod kmod
need cpio cpio
need dpkg-deb dpkg
[ -x "$python" ] || { echo "no Python at $python: run \`make test\` first, or set PYTHON" >&2; exit 1; }

fetch_kernel() {
    package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$package" ] || { echo "apt knows no linux-image-amd64: apt-get update, or Debian's archive is missing" >&2; exit 1; }
    echo "fetching $package"
    (cd $work && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb kernel && rm "$package"_*.deb)
}

make_initramfs() {
    rm -rf $work/initramfs
    mkdir -p $work/initramfs/bin $work/initramfs/modules
    cp "$(command -v busybox)" $work/initramfs/bin/busybox
    install -m 755 tests/ble_vm/init.sh $work/initramfs/init
    depmod -b $work/kernel "$version"
    for module in $modules; do
        modprobe -d $work/kernel -S "$version" --show-depends "$module" | sed -n 's/^insmod \(\S*\).*/\1/p'
    done | awk '!seen[$0]++' >$work/modules.list
    n=100
    while read -r path; do
        cp "$path" "$work/initramfs/modules/$n-$(basename "$path")"
        n=$((n + 1))
    done <$work/modules.list
    (cd $work/initramfs && find . | cpio -o -H newc --quiet | gzip -1) >$work/initramfs.gz
}

mkdir -p $work
[ -d $work/kernel/boot ] || fetch_kernel
version=$(basename "$(ls -d $work/kernel/lib/modules/*)")
make_initramfs
echo "booting $version in QEMU (emulated: expect one to three minutes)"
timeout "$limit_s" qemu-system-x86_64 -machine q35,accel=tcg -cpu Nehalem -smp 1 -m 1024 -nographic -no-reboot \
    -nic none -kernel $work/kernel/boot/vmlinuz-"$version" -initrd $work/initramfs.gz \
    -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=root,mount_tag=hostroot \
    -append "console=ttyS0 quiet panic=-1 ble_vm_dir=$PWD ble_vm_python=$python" </dev/null 2>&1 |
    sed -u 's/\r//g' | tee $work/console.log
grep -q '^BLE-VM: passed' $work/console.log && exit 0
echo "the check in the virtual machine failed or did not end within $limit_s s: see $work/console.log" >&2
exit 1
