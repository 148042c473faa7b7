# Sourced by tests of NMIs: GRUB's commands that have the machine below make them, as the last ones before `boot`.
# shellcheck shell=bash disable=SC2034,SC2154

nmi_modules=memrw
nmi_words="nmi=timer only=NMI:*"

# nmi_grub SECONDS: the HPET's timer 0 ticks each 20 ms, after so many seconds for the first time: until the tiny guest
# runs there may be a boot loader without an IDT (IA-PC HPET, 2.3; 100 MHz). Its line is IRQ 11, of whose rises the I/O
# APIC makes NMIs (82093AA, 3.2.4).
nmi_grub() {
    cat <<GRUB
write_dword 0xfec00000 0x27
write_dword 0xfec00010 0
write_dword 0xfec00000 0x26
write_dword 0xfec00010 0x402
write_dword 0xfed00010 0
write_dword 0xfed000f0 0
write_dword 0xfed000f4 0
write_dword 0xfed00100 0x174c
write_dword 0xfed00108 $(($1 * 100000000))
write_dword 0xfed00108 2000000
write_dword 0xfed00010 1
GRUB
}

# For QEMU, whose HPET ticks twice where an instruction takes less than its own 10 ns.
nmi_qemu=(-machine "pc,hpet=on" -icount "shift=4,sleep=off")

# nmi_disk KERNEL OUTPUT WORD...: a disk of the tiny guest for its tests of NMIs. nmi_native_disk: one that has the machine
# make them.
nmi_disk() { tests/guests/mkdisk.sh "$1" "$2" "$nmi_words" "${@:3}"; }
nmi_native_disk() { GRUB_BEFORE_BOOT=$(nmi_grub 1) GRUB_MODULES=$nmi_modules nmi_disk "$@"; }

# nmi_iso SECONDS ISO DISK: a CD with the hypervisor on a machine that makes NMIs.
nmi_iso() {
    GRUB_BEFORE_BOOT=$(nmi_grub "$1") GRUB_MODULES=$nmi_modules bochs_iso "$2" "$hv" "mem=64M watchdog=60" "$3" disk0
}

# nmi_served RECORDS: NMIs have ended turns of the guest.
nmi_served() { grep -E 'exit mark=0 reason=nmi count=[1-9][0-9]' "$1" || { tail -n 20 "$1"; return 1; }; }
