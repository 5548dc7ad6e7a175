#!/usr/bin/env bash
# Bring what an image is built from and run by, on a Debian without a registry: a base image with Python, in $1/base; and
# Apptainer, where this machine has none, as $1/bin/apptainer. What is there already is left. Needs root.
#
# Debian has Apptainer in unstable alone, whose C library an older Debian lacks. So it gets a small root of its own,
# $1/machine, in which it sees this machine's folders in their places.
set -euo pipefail

STATE=$1
BASE=trixie # its Python, 3.13, is one that the lock supports
mkdir -p "$STATE/bin"

install_packages() {
    local missing=() pair
    for pair in buildah:buildah crun:crun debootstrap:debootstrap; do
        command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$STATE/apt.log" 2>&1 ||
        { tail -n 20 "$STATE/apt.log" >&2; exit 1; }
}

bootstrap() { # folder, suite, packages: a small Debian, whole or not at all
    [ ! -e "$1" ] || return 0
    rm -rf "$1.part"
    debootstrap --variant=minbase --include="$3" "$2" "$1.part" >"$1.log" 2>&1 ||
        { tail -n 20 "$1.log" >&2; exit 1; }
    rm -rf "$1.part"/var/cache/apt/archives/*.deb "$1.part"/var/lib/apt/lists/*
    mv "$1.part" "$1"
}

install_packages
bootstrap "$STATE/base" "$BASE" python3,python3-venv,git,ca-certificates
touch "$STATE/base/etc/pip.conf" # a place to show this machine's own in
command -v apptainer >/dev/null && exit 0

bootstrap "$STATE/machine" sid apptainer
cp /etc/hosts /etc/resolv.conf "$STATE/machine/etc/"
# Apptainer gives root every capability there is, which a root that lacks one may not give.
sed -i 's/^root default capabilities = full/root default capabilities = no/' "$STATE/machine/etc/apptainer/apptainer.conf"
cat >"$STATE/bin/apptainer" <<SCRIPT
#!/bin/sh
# Apptainer, on the root of a newer Debian, with this machine's folders in their places.
exec unshare --mount --propagation private sh -c '
machine=\$1 here=\$(pwd)
shift
mount --bind "\$machine" "\$machine"
for folder in /*; do
    case \$folder in
        /usr | /bin | /lib* | /sbin | /etc | /var | /host | /boot | /lost+found) continue ;;
        /proc | /sys | /dev) kind=--rbind ;;
        *) kind=--bind ;;
    esac
    if [ -d "\$folder" ]; then mkdir -p "\$machine\$folder" && mount \$kind "\$folder" "\$machine\$folder"; fi
done
mkdir -p "\$machine/host" && mount --bind /var/tmp "\$machine/var/tmp"
cd "\$machine" && pivot_root . host && umount -l /host && cd "\$here" && exec /usr/bin/apptainer "\$@"
' sh "$STATE/machine" "\$@"
SCRIPT
chmod 755 "$STATE/bin/apptainer"
"$STATE/bin/apptainer" --version
