# Sourced by tests on Bochs, the hypervisor on its VT-x, and by others that need a CD. Output goes to files in $work, the caller's.
# shellcheck shell=bash disable=SC2154

# bochs_iso ISO HV WORDS [FILE NAME]...: a CD whose GRUB loads the hypervisor with the firmware and these modules.
# GRUB_BEFORE_BOOT: commands before the last one, of the modules in GRUB_MODULES.
bochs_iso() {
    local iso=$1 image=$2 words=$3 tree i=0
    shift 3
    tree=$(mktemp -d -p "$work")
    mkdir -p "$tree/boot/grub"
    cp "$image" "$tree/boot/hv.elf"
    cp /usr/share/seabios/bios-256k.bin /usr/share/seabios/vgabios-stdvga.bin "$tree/boot/"
    {
        echo "set timeout=0"
        echo "multiboot /boot/hv.elf $words"
        echo "module /boot/bios-256k.bin seabios"
        echo "module /boot/vgabios-stdvga.bin vgabios"
        while [ $# -ge 2 ]; do
            cp "$1" "$tree/boot/module$i"
            echo "module /boot/module$i $2"
            i=$((i + 1))
            shift 2
        done
        echo "${GRUB_BEFORE_BOOT-}"
        echo boot
    } >"$tree/boot/grub/grub.cfg"
    grub-mkrescue -d /usr/lib/grub/i386-pc --install-modules="multiboot normal iso9660 biosdisk ${GRUB_MODULES-}" --fonts= --locales= \
        --themes= -o "$iso" "$tree" >"$work/mkrescue.log" 2>&1 || { cat "$work/mkrescue.log"; return 1; }
    rm -rf "$tree"
}

# bochs_run NAME ISO [MODEL] [TICKS]: console in $work/NAME/com1, records in com2, Bochs' own log in log. Status: 0 the guest
# ended the machine, 2 triple fault of the machine, 3 the ticks were used up, 4 the wall clock was, 5 anything else.
bochs_run() {
    bochs_machine "$1" "${3:-core2_penryn_t9600}" "${4:-3000000000}" /usr/share/bochs/BIOS-bochs-latest \
        /usr/share/vgabios/vgabios.bin "ata0-master: type=cdrom, path=$2, status=inserted" "boot: cdrom"
}

# bochs_native NAME DISK [MODEL] [TICKS]: as bochs_run, without the hypervisor: SeaBIOS and a disk.
bochs_native() {
    BOCHS_BAD_MSRS=0 bochs_machine "$1" "${3:-core2_penryn_t9600}" "${4:-3000000000}" /usr/share/seabios/bios-256k.bin \
        /usr/share/vgabios/vgabios.bin "ata0-master: type=disk, path=$2, mode=volatile" "boot: disk" "pci: enabled=1, chipset=i440fx, slot1=pcivga"
}

# bochs_machine NAME MODEL TICKS BIOS VGABIOS LINE...: the lines are of bochsrc. Bochs ends with 1 for any panic, and its
# debugger's `q` with 0, so the text decides. Linear addresses in BOCHS_STOPS are waited for, one after the other.
bochs_machine() {
    local out=$work/$1 model=$2 ticks=$3 bios=$4 vgabios=$5 rc stops stop
    shift 5
    mkdir -p "$out"
    cat >"$out/bochsrc" <<RC
config_interface: textconfig
display_library: term
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, gameport=0, iodebug=0, serial=1
memory: guest=${BOCHS_MEMORY:-256}, host=${BOCHS_MEMORY:-256}
romimage: file=$bios
vgaromimage: file=$vgabios
cpu: model=$model, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=${BOCHS_BAD_MSRS:-1}
clock: sync=none, time0=1767225600
pci: enabled=1, chipset=i440fx
vga: extension=vbe, update_freq=1, realtime=0
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
com1: enabled=1, mode=file, dev=$out/com1
com2: enabled=1, mode=file, dev=$out/com2
log: $out/log
logprefix: %t%e%d
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
RC
    printf '%s\n' "$@" >>"$out/bochsrc"
    read -ra stops <<<"${BOCHS_STOPS:-}"
    {
        for stop in "${stops[@]}"; do echo "lb $stop"; done
        echo "sb $ticks"
        for stop in "${!stops[@]}"; do printf 'c\nd %s\n' $((stop + 1)); done
        printf 'c\nr\nsreg\ncreg\nbt 8\nq\n'
    } >"$out/rc"
    TERM=dumb timeout -s KILL "${BOCHS_SECONDS:-200}" bochs-bin -q -f "$out/bochsrc" -rc "$out/rc" \
        -dbglog "$out/debugger" </dev/null >"$out/term" 2>&1
    rc=$?
    [ $rc = 137 ] && return 4
    grep -aqE 'Shutdown port: shutdown requested|ACPI control: soft power off' "$out/term" && return 0
    grep -aq '3rd (.*) exception with no resolution' "$out/term" && return 2
    [ $rc = 0 ] && return 3
    return 5
}

# bochs_stop_ticks NAME: the ticks at which the machine came to each of BOCHS_STOPS.
bochs_stop_ticks() { sed -n '/ Breakpoint /{n; s/^Next at t=//p;}' "$work/$1/debugger"; }
