#!/bin/bash
# ci/setup.sh against stand-ins for dpkg-query, apt-get and id.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH=$work/bin:$PATH WORK=$work
mkdir "$work/bin"

stub() { { echo '#!/bin/bash'; cat; } >"$work/bin/$1" && chmod +x "$work/bin/$1"; }

stub dpkg-query <<'STUB'
for name; do
    case $name in
    gcc) echo "installed gcc" ;;
    removed) echo "config-files removed" ;;
    esac
done
STUB
stub id <<<'echo "$FAKE_UID"'
# The first installation fails until the lists were updated.
stub apt-get <<'STUB'
echo "apt-get $*" >>"$WORK/calls"
case $* in
*update) touch "$WORK/updated" ;;
*nowhere*) echo "E: Unable to locate package nowhere"; exit 100 ;;
*install*) [ -e "$WORK/updated" ] ;;
esac
STUB

printf 'gcc  # compiler\n\n# a comment\n' >"$work/there"
printf 'gcc\nremoved # purged\nmissing\n' >"$work/lacking"
echo nowhere >"$work/unknown"

ok "nothing missing: success" ci/setup.sh "$work/there"
ok "nothing missing: apt-get is not called" test ! -e "$work/calls"

export FAKE_UID=1000
ok "not root: exact command is printed" \
    fails "sudo apt-get install --no-install-recommends missing removed" ci/setup.sh "$work/lacking"
ok "not root: apt-get is not called" test ! -e "$work/calls"

export FAKE_UID=0
ok "root: missing packages are installed" ci/setup.sh "$work/lacking"
install='apt-get install -y -qq --no-install-recommends missing removed'
is "root: stale lists are updated between two tries" "$(cat "$work/calls")" \
    "$install"$'\n'"apt-get -qq update"$'\n'"$install"
ok "root: a package that cannot be installed is named" \
    fails "Unable to locate package nowhere" ci/setup.sh "$work/unknown"
ok "the lists hold one package a line with a purpose" \
    test -z "$(grep -hvE '^#|^[a-z0-9][a-z0-9.+-]+ +# .+' ci/packages ci/packages-lint)"
finish
