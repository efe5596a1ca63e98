#!/bin/busybox sh
# First process of the virtual machine: modules, the host's root under a writable layer, D-Bus, BlueZ, the check.
/bin/busybox mkdir -p /proc /sys /dev /lower /layer /root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do
    insmod "$module" || echo "insmod $module failed"
done
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 hostroot /lower
mount -t tmpfs layer /layer
mkdir /layer/up /layer/work
mount -t overlay -o lowerdir=/lower,upperdir=/layer/up,workdir=/layer/work root /root
for place in proc sys dev; do
    mount -o bind /$place /root/$place
done
mount -t tmpfs run /root/run
mount -t tmpfs tmp /root/tmp
ifconfig lo 127.0.0.1 up

for word in $(cat /proc/cmdline); do
    case $word in
    ble_vm_dir=*) dir=${word#*=} ;;
    ble_vm_python=*) python=${word#*=} ;;
    esac
done
cat >/root/tmp/start <<SCRIPT
mkdir -p /run/dbus /var/lib/bluetooth
dbus-daemon --system --fork
/usr/libexec/bluetooth/bluetoothd -n >/tmp/bluetoothd.log 2>&1 &
cd $dir
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. OMP_NUM_THREADS=1 $python tests/ble_vm/guest.py ||
    tail -n 20 /tmp/bluetoothd.log
SCRIPT
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot /root /bin/sh /tmp/start
poweroff -f
