#!/bin/sh
# /init of the development images (build/images/GUEST-dev.img): loads the
# modules, mounts the scratch file system, says so, and powers off.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod "$module"; done
tries=0
while [ ! -b /dev/sda2 ] && [ $tries -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
clock=/sys/devices/system/clocksource/clocksource0/current_clocksource
if mount -t ext4 /dev/sda2 /scratch && echo written >/scratch/file && sync; then
    echo "GUEST-OK $(uname -srm) clocksource=$(cat $clock) $(cat /proc/cmdline)"
else
    echo "GUEST-FAIL no scratch file system"
fi
case " $(cat /proc/cmdline) " in
*" guestbench.shell "*) exec setsid sh -c 'exec sh </dev/ttyS0 >/dev/ttyS0 2>&1' ;;
esac
umount /scratch
poweroff -f
