#!/bin/bash
# Each way a guest ends gives the hypervisor's own end code and record.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh

# The guest's way to end, and the hypervisor's word for it.
ways=("poweroff poweroff" "reboot-8042 reboot" "reboot-cf9 reboot" "reboot-92 reboot"
    "triple-fault triple-fault" "hang hang")

# end_of WAY END: what the guest says on its console, the record and the exit status.
end_of() {
    tests/guests/mkdisk.sh build/tiny32.elf "$work/$1.img" "end=$1"
    ends "$2" qemu_hv "$1" "mem=32M watchdog=60" "$work/$1.img disk0" || return
    grep -q "^end=$1" "$work/$1.console" || { cat "$work/$1.console"; return 1; }
    grep -q "^@hv end end=$2 code=" "$work/$1.records" || { tail "$work/$1.records"; return 1; }
}

for ((i = 0; i < ${#ways[@]}; i += 2)); do
    for way in "${ways[@]:i:2}"; do
        { end_of $way || echo failed; } >"$work/${way%% *}.status" 2>&1 &
    done
    wait
done
for way in "${ways[@]}"; do
    ok "${way%% *} is ${way##* }" no_text "$work/${way%% *}.status"
done

# A guest that halts with interrupts on and does nothing: the watchdog's end.
head -c 510 /dev/zero >"$work/idle.img"
printf '\x55\xaa' >>"$work/idle.img"
printf '\xfb\xf4\xeb\xfd' | dd of="$work/idle.img" conv=notrunc status=none # sti; hlt; jmp
truncate -s 1M "$work/idle.img"
ok "an idle guest is a hang to the watchdog" ends hang qemu_hv idle "mem=32M watchdog=5" "$work/idle.img disk0"
ok "the report names the watchdog" grep watchdog "$work/idle.records"
finish
