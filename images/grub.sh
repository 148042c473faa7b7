# Sourced: what GRUB of a guest image is made of.
# shellcheck shell=bash

grub_dir=/usr/lib/grub/i386-pc

# grub_core OUTPUT PREFIX: a core image that starts at sector 1 of a BIOS disk,
# with every module it needs inside. GRUB's first sector loads the rest from
# sector 2 on, which is where grub-mkimage's block list points.
grub_core() {
    grub-mkimage -O i386-pc -d "$grub_dir" -o "$1" -p "$2" \
        biosdisk part_msdos ext2 normal configfile linux multiboot loadenv echo test halt sleep serial terminal
}

# grub_config GUEST ENVBLOCK: loads the environment block, then the kernel.
grub_config() {
    cat <<CFG
serial --unit=0 --speed=115200
terminal_output console serial
echo "Loading $1"
load_env -f $2 append
if linux /vmlinuz $(guest_field "$1" cmdline) \$append; then
    if initrd /initrd.img; then boot; fi
fi
echo "guest image: the kernel or its initramfs cannot be loaded"
sleep 1
halt
CFG
}
