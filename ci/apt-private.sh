#!/bin/bash
# apt-private.sh ARCH COMMAND ARG...: runs an apt command (apt-get, apt-cache)
# for ARCH in a package state of its own under build/debs/apt/ARCH, so that
# i386 packages can be had without adding an architecture to the machine. ARCH
# "source" is for source packages, which a machine's own apt often leaves out.
# The sources are the machine's own Debian sources.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: ${0##*/} ARCH COMMAND ARG..." >&2; exit 2; }
arch=$1
command=$2
shift 2

top=$(cd "$(dirname "$0")/.." && pwd)
state=${BUILD:-$top/build}/debs/apt/$arch
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The machine's sources of this Debian release, component main, one a line.
debian_sources() {
    local codename uri release component type=deb options="arch=$arch"
    if [ "$arch" = source ]; then
        type=deb-src
        options=
    fi
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    [ -n "$codename" ] || { echo "${0##*/}: /etc/os-release names no Debian release" >&2; exit 1; }
    if [ -f $keyring ]; then options+="${options:+ }signed-by=$keyring"; fi
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sort -u |
        while read -r uri release component; do
            case $release:$component in
            "$codename":main | "$codename"-*:main) echo "$type${options:+ [$options]} $uri $release main" ;;
            esac
        done
}

setup_state() {
    local sources architecture
    sources=$(debian_sources)
    [ -n "$sources" ] || { echo "${0##*/}: apt knows no Debian source (component main)" >&2; exit 1; }
    mkdir -p "$state"/{lists/partial,cache/archives/partial,sources.d}
    : >"$state/status"
    printf '%s\n' "$sources" >"$state/sources.list.new"
    if ! cmp -s "$state/sources.list.new" "$state/sources.list"; then
        rm -f "$state/updated"
        mv "$state/sources.list.new" "$state/sources.list"
    fi
    architecture=$arch
    if [ "$arch" = source ]; then architecture=$(dpkg --print-architecture); fi
    cat >"$state/apt.conf" <<CONF
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "$state";
Dir::State::status "$state/status";
Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "$state/sources.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$state/sources.d";
CONF
}

# An update that fails for one source (a mirror that is being synchronized)
# leaves the other sources usable: what matters is whether a package is found.
update_lists() {
    if ! apt-get -c "$state/apt.conf" -qq update >"$state/update.log" 2>&1; then
        echo "${0##*/}: some $arch package lists are missing, see $state/update.log" >&2
    fi
    compgen -G "$state/lists/*_Packages*" >/dev/null || compgen -G "$state/lists/*_Sources*" >/dev/null ||
        { cat "$state/update.log" >&2; exit 1; }
    touch "$state/updated"
}

mkdir -p "$state"
exec 9>"$state/lock"
flock 9
setup_state
[ -e "$state/updated" ] || update_lists
exec "$command" -c "$state/apt.conf" "$@"
