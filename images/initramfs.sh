#!/bin/bash
# initramfs.sh GUEST KERNELDIR INIT OUTPUT [TCC]: the initramfs of a guest: INIT
# as /init, TCC as /bin/tcc, busybox, the kernel's modules, and /etc/guest that describes it all.
. "$(dirname "$0")/lib.sh"

[ $# -eq 4 ] || [ $# -eq 5 ] || die "usage: initramfs.sh GUEST KERNELDIR INIT OUTPUT [TCC]"
guest=$1
kernel=$2
init=$3
output=$4
tcc=${5:-}

applets=(ash awk base64 basename cat chmod cmp cp cut date dd df dirname dmesg echo env expr
    false find free grep gunzip gzip head hexdump hostname id ifconfig insmod kill ln ls lsmod
    md5sum mkdir mknod mktemp more mount mv nproc od ping poweroff printf ps pwd readlink reboot
    rm rmdir sed seq sh sha256sum sleep sort stat sync tail tar tee test time top touch tr true
    umount uname uniq uptime vi wc which xargs yes)

busybox_tree() {
    "$top/ci/fetch-debs.sh" "$1" "$BUILD/debs/$1" busybox-static
    echo "$BUILD/debs/$1"
}

describe() {
    echo "name=$guest"
    echo "arch=$arch"
    echo "kernel_package=$(cat "$kernel/package")"
    echo "kernel_release=$(cat "$kernel/release")"
    echo "busybox=$(sed 's/_[^_]*\.deb$//; s/%3a/:/; s/_/ /' "$busybox/.unpacked/busybox-static")"
    echo "cmdline=$(guest_field "$guest" cmdline)"
}

fill_root() {
    local applet
    mkdir -p "$root"/{bin,dev,etc,modules,proc,root,run,scratch,sys,tmp}
    install -m 755 "$busybox/bin/busybox" "$root/bin/busybox"
    for applet in "${applets[@]}"; do ln -s busybox "$root/bin/$applet"; done
    install -m 644 "$kernel"/modules/*.ko "$root/modules/"
    install -m 755 "$init" "$root/init"
    if [ -n "$tcc" ]; then install -m 755 "$tcc" "$root/bin/tcc"; fi
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    describe >"$root/etc/guest"
    chmod 1777 "$root/tmp"
    chmod 644 "$root"/etc/*
    find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

arch=$(guest_field "$guest" arch)
busybox=$(busybox_tree "$arch")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
chmod 755 "$root"
fill_root
(cd "$root" && find . -mindepth 1 -print0 | sort -z |
    cpio --quiet --null --create --format=newc --reproducible --owner=0:0) |
    zstd -q -15 -T1 >"$output"
