#!/bin/bash
# images/guests/*.yml: each has the keys of docs/guests.md with sane values.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh

known='name description arch kernel_package cmdline memory image expect'
optional='hv kernel_form'
multiboot='name description kind arch kernel cmdline memory image expect'

field() { sed -n "s/^$2: *//p" "images/guests/$1.yml"; }

check_keys() {
    local key line known=$known optional=$optional
    [ "$(field "$1" kind)" != multiboot ] || { known=$multiboot; optional=hv; }
    while read -r line; do
        key=${line%%:*}
        case " $known $optional " in *" $key "*) ;; *) echo "unknown key: $line"; return 1 ;; esac
    done <"images/guests/$1.yml"
    for key in $known; do
        [ "$(grep -c "^$key: ." "images/guests/$1.yml")" = 1 ] || { echo "key $key"; return 1; }
    done
}

check_values() {
    [ "$(field "$1" name)" = "$1" ] || { echo "name is not the file's"; return 1; }
    # A second colon would end the YAML of the other readers.
    ! grep -E '^[a-z_]+: [^"].*: ' "images/guests/$1.yml" || return 1
    [ "$(field "$1" image)" = "$1.img" ] || { echo image; return 1; }
    [[ $(field "$1" arch) =~ ^(i386|amd64)$ ]] || { echo arch; return 1; }
    [[ $(field "$1" memory) =~ ^[0-9]+[MG]$ ]] || { echo memory; return 1; }
    if [ "$(field "$1" kind)" = multiboot ]; then
        [[ $(field "$1" kernel) =~ ^[a-z0-9-]+\.elf$ ]] || { echo kernel; return 1; }
        return
    fi
    [[ $(field "$1" kernel_package) =~ ^linux-image-[a-z0-9-]+$ ]] || { echo kernel_package; return 1; }
    [[ $(field "$1" kernel_form) =~ ^(|packed|unpacked)$ ]] || { echo kernel_form; return 1; }
    [[ " $(field "$1" cmdline) " == *" console=ttyS0,115200 "* ]] || { echo console; return 1; }
}

# A -mitigated guest differs from its plain one in mitigations=off only.
check_mitigations() {
    local plain
    case $1 in
    *-mitigated)
        plain=$(field "${1%-mitigated}" cmdline)
        [ "$(field "$1" cmdline)" = "${plain/mitigations=off /}" ]
        ;;
    bare-*) ;;
    *) [[ " $(field "$1" cmdline) " == *" mitigations=off "* ]] ;;
    esac
}

for file in images/guests/*.yml; do
    guest=$(basename "$file" .yml)
    ok "$guest: keys" check_keys "$guest"
    ok "$guest: values" check_values "$guest"
    ok "$guest: mitigations" check_mitigations "$guest"
done
for guest in linux-686 linux-686-pae; do
    ok "$guest-unpacked differs in the kernel's form only" diff \
        <(grep -vE '^(name|description|image):' images/guests/$guest.yml) \
        <(grep -vE '^(name|description|image|kernel_form):' images/guests/$guest-unpacked.yml)
done
is "linux-686-highmem has the paper's memory" "$(field linux-686-highmem memory)" 1G
is "and linux-686's kernel and command line" \
    "$(field linux-686-highmem kernel_package) $(field linux-686-highmem cmdline)" \
    "$(field linux-686 kernel_package) $(field linux-686 cmdline)"

BUILD=$(mktemp -d)
export BUILD
trap 'rm -rf "$BUILD"' EXIT
ok "an unknown guest is named, with those that are known" \
    fails "guest 'linux-999' is unknown: expected one of bare-686 " images/build.sh linux-999
ok "a missing guestbench is named" fails "guestbench-i386 is missing" images/build.sh linux-686
finish
