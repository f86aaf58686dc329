#!/bin/sh
# in-chroot.sh ROOT COMMAND…: in a mount namespace of its own, because some tools want /proc and a /dev
set -e
exec unshare --mount --propagation private sh -ec '
  root=$1
  shift
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
' in-chroot "$@"
