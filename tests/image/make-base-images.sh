#!/usr/bin/env bash
# Makes the two base images of the Dockerfile from what this machine has, for places where no image registry can be reached:
# an SDK image and a runtime image without shell or package manager, both of the distribution's stable release.
#
#   tests/image/make-base-images.sh SDK_TAG RUNTIME_TAG
#   docker build --network host --build-arg SDK_IMAGE=SDK_TAG --build-arg RUNTIME_IMAGE=RUNTIME_TAG -t sales-tasks .
#
# Needs root (chroot), debootstrap, the distribution's package mirror, a .NET 10 SDK (DOTNET_ROOT, or `dotnet` in PATH) and a Docker engine
# (DOCKER_HOST as usual). The certificates that this machine trusts are put into the SDK image, so that its restore can pass a proxy that
# this machine passes; the runtime image has the distribution's own. About a minute; nothing is left behind but the two images.
set -euo pipefail

[[ $# -eq 2 ]] || { echo "usage: $0 SDK_TAG RUNTIME_TAG" >&2; exit 64; }
sdk_tag=$1
runtime_tag=$2

[[ $EUID -eq 0 ]] || { echo "$0: debootstrap needs root" >&2; exit 69; }
command -v debootstrap >/dev/null || { echo "$0: debootstrap is missing: apt-get install -y debootstrap" >&2; exit 69; }
docker version >/dev/null || { echo "$0: no Docker engine answers" >&2; exit 69; }

dotnet=${DOTNET_ROOT:+$DOTNET_ROOT/dotnet}
dotnet=$(readlink -f "${dotnet:-$(command -v dotnet)}")
dotnet_home=$(dirname "$dotnet")

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
chmod 755 "$work"

# No more than the official slim runtime images have, so that what is missing there is missing here too.
runtime_packages=(base-files libc6 libgcc-s1 libssl3 libstdc++6 netbase)
[[ $suite != noble ]] || runtime_packages=("${runtime_packages[@]/libssl3/libssl3t64}")
runtime=$work/runtime
sdk=$work/sdk

import() { tar --create --numeric-owner --directory "$1" . | docker import "${@:3}" - "$2" >/dev/null; }

echo "debootstrap $suite …" >&2
debootstrap --variant=minbase --include="$(IFS=,; echo "${runtime_packages[*]}"),ca-certificates,libgomp1,tzdata" "$suite" "$sdk" >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log" >&2; exit 69; }

# The runtime image first, while the packages are still there: their libraries and data without the commands.
mkdir "$runtime"
for package in "${runtime_packages[@]}"; do
  dpkg-deb --extract "$sdk"/var/cache/apt/archives/"${package}"_*.deb "$runtime"
done
rm -rf "${runtime:?}"/{bin,sbin,usr/bin,usr/sbin} "$runtime"/usr/share/{bug,doc,lintian,man} "$runtime"/usr/lib/*-linux-gnu/gconv
mkdir -p "$runtime"/{dev,etc/ssl/certs,proc,run,sys,usr/bin,usr/lib/ssl,usr/share/dotnet/shared}
install -d -m 1777 "$runtime/tmp"
install -d -o 1654 -g 1654 "$runtime/home/app"
printf '%s\n' root:x:0:0:root:/root:/bin/false app:x:1654:1654::/home/app:/bin/false >"$runtime/etc/passwd"
printf '%s\n' root:x:0: app:x:1654: >"$runtime/etc/group"
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$runtime/etc/nsswitch.conf"
cp "$sdk/etc/ssl/certs/ca-certificates.crt" "$runtime/etc/ssl/certs/"
ln -s /etc/ssl/certs "$runtime/usr/lib/ssl/certs"
ln -s /etc/ssl/certs/ca-certificates.crt "$runtime/usr/lib/ssl/cert.pem"
ln -s /usr/share/dotnet/dotnet "$runtime/usr/bin/dotnet"
cp -a "$dotnet_home"/{dotnet,host} "$runtime/usr/share/dotnet/"
cp -a "$dotnet_home/shared/Microsoft.NETCore.App" "$runtime/usr/share/dotnet/shared/"
import "$runtime" "$runtime_tag" --change 'USER 1654' --change 'ENV DOTNET_RUNNING_IN_CONTAINER=true'

# The SDK image: the whole system, the SDK, and this machine's certificates.
rm -rf "$sdk"/var/cache/apt/archives/*.deb "$sdk"/var/lib/apt/lists/*
cp -L /etc/ssl/certs/ca-certificates.crt "$sdk/etc/ssl/certs/ca-certificates.crt"
mkdir "$sdk/usr/share/dotnet"
cp -a "$dotnet_home"/. "$sdk/usr/share/dotnet/"
ln -s /usr/share/dotnet/dotnet "$sdk/usr/bin/dotnet"
import "$sdk" "$sdk_tag" --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' --change 'ENV NUGET_CERT_REVOCATION_MODE=offline'
echo "$sdk_tag and $runtime_tag are ready" >&2
