#!/bin/sh
# uml.sh ROOT KERNEL FOLDER ARGUMENT…
# Becomes User-Mode Linux. With a ROOT it runs ROOT's KERNEL on ROOT's libc, with FOLDER visible at its own path.
set -e
root=$1 kernel=$2 folder=$3
shift 3
if [ -z "$root" ]; then
  exec env -i TMPDIR=/dev/shm PATH=/usr/bin HOME=/ "$kernel" "$@"
fi
exec unshare --mount --propagation private sh -ec '
  root=$1 kernel=$2 folder=$3
  shift 3
  mkdir -p "$root$folder"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount --bind "$folder" "$root$folder"
  exec chroot "$root" /usr/bin/env -i TMPDIR=/dev/shm PATH=/usr/bin HOME=/ "$kernel" "$@"
' uml "$root" "$kernel" "$folder" "$@"
