#!/bin/sh
# uml.sh ROOT FOLDER ARGUMENT…
# Becomes User-Mode Linux. With a ROOT it runs ROOT's linux.uml on ROOT's libc, with FOLDER visible at its own path.
set -e
root=$1 folder=$2
shift 2
if [ -z "$root" ]; then
  exec env -i TMPDIR=/dev/shm PATH=/usr/bin HOME=/ linux.uml "$@"
fi
exec unshare --mount --propagation private sh -ec '
  root=$1 folder=$2
  shift 2
  mkdir -p "$root$folder"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount --bind "$folder" "$root$folder"
  exec chroot "$root" /usr/bin/env -i TMPDIR=/dev/shm PATH=/usr/bin HOME=/ linux.uml "$@"
' uml "$root" "$folder" "$@"
