#!/bin/bash
# ci/fetch-debs.sh, ci/fetch-source.sh and ci/apt-private.sh against a stand-in for apt-get.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BUILD=$work/build WORK=$work PATH=$work/bin:$PATH
mkdir -p "$work/bin" "$work/package/DEBIAN" "$work/package/usr/share"

cat >"$work/package/DEBIAN/control" <<'CONTROL'
Package: thing
Version: 1:2.0-1
Architecture: i386
Maintainer: nobody <nobody@example.org>
Description: a thing
CONTROL
echo content >"$work/package/usr/share/thing"
dpkg-deb -b --root-owner-group "$work/package" "$work/thing.deb" >/dev/null

mkdir -p "$work/thing-1.0/debian/source"
cat >"$work/thing-1.0/debian/control" <<'CONTROL'
Source: thing
Maintainer: nobody <nobody@example.org>

Package: thing
Architecture: any
Description: a thing
CONTROL
echo '3.0 (native)' >"$work/thing-1.0/debian/source/format"
printf 'thing (1.0) stable; urgency=low\n\n  * A thing.\n\n -- nobody <nobody@example.org>  %s\n' \
    'Mon, 01 Jan 2024 00:00:00 +0000' >"$work/thing-1.0/debian/changelog"
echo source >"$work/thing-1.0/thing.c"
(cd "$work" && dpkg-source -b thing-1.0 >/dev/null 2>&1)

codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
cat >"$work/targets" <<TARGETS
http://mirror.example/debian/ $codename main
http://mirror.example/debian/ $codename-updates main
http://mirror.example/debian/ $codename contrib
http://other.example/ stable main
TARGETS

# update fails for one of the sources, as a mirror that is being synchronized.
cat >"$work/bin/apt-get" <<'STUB'
#!/bin/bash
echo "$*" >>"$WORK/calls"
case $* in
indextargets*) cat "$WORK/targets" ;;
*apt/i386/*update) : >"$BUILD/debs/apt/i386/lists/mirror_Packages.lz4"; exit 100 ;;
*apt/source/*update) : >"$BUILD/debs/apt/source/lists/mirror_Sources.lz4"; exit 100 ;;
*"source --download-only thing") cp "$WORK"/thing_* . ;;
*"download thing") cp "$WORK/thing.deb" thing_1%3a2.0-1_i386.deb ;;
*) echo "E: Unable to locate package"; exit 100 ;;
esac
STUB
chmod +x "$work/bin/apt-get"

ok "a package is fetched and unpacked" ci/fetch-debs.sh i386 "$work/root" thing
is "its files are there" "$(cat "$work/root/usr/share/thing")" content
is "its version is recorded" "$(cat "$work/root/.unpacked/thing")" thing_1%3a2.0-1_i386.deb
sed "s/ signed-by=[^]]*//" "$BUILD/debs/apt/i386/sources.list" >"$work/sources"
is "only this release's main is used, for the architecture asked for" "$(cat "$work/sources")" \
    "deb [arch=i386] http://mirror.example/debian/ $codename main
deb [arch=i386] http://mirror.example/debian/ $codename-updates main"

rm "$work/calls"
ok "a second call succeeds" ci/fetch-debs.sh i386 "$work/root" thing
ok "and does not call apt-get" test ! -e "$work/calls"
ok "another destination is filled" ci/fetch-debs.sh i386 "$work/root2" thing
ok "from the cache" test ! -e "$work/calls"
ok "its files are there too" test -f "$work/root2/usr/share/thing"

ok "a package that does not exist is named" \
    fails "package 'no-such-thing' for i386" ci/fetch-debs.sh i386 "$work/root" no-such-thing
ok "so is an unknown architecture" \
    fails "'sparc': expected i386 or amd64" ci/fetch-debs.sh sparc "$work/root" thing

ok "sources are fetched and unpacked" ci/fetch-source.sh thing "$work/source"
is "they are there" "$(cat "$work/source/thing.c")" source
ok "and stay as they were published" test -f "$BUILD/debs/source/thing/thing_1.0.dsc"
is "from the same release's main" \
    "$(sed "s/ \[.*\]//" "$BUILD/debs/apt/source/sources.list" | head -n 1)" \
    "deb-src http://mirror.example/debian/ $codename main"
rm "$work/calls"
ok "sources are unpacked again" ci/fetch-source.sh thing "$work/source"
ok "without apt-get" test ! -e "$work/calls"
ok "sources that do not exist are named" \
    fails "sources of 'no-such-thing' cannot be had" ci/fetch-source.sh no-such-thing "$work/none"
finish
