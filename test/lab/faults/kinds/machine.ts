import { anywhere, byShell, type Kind } from '../kind.ts';

const late = /^(Data|NFS|nfs-\w+|nfs_ip) (monitor|start|promote|notify)$/;

const step = (seconds: number): Kind =>
  byShell({
    ...{ name: `clock steps by ${seconds} s and back`, on: anywhere },
    shell: `date -s @$(( $(date +%s) + ${seconds} ))`,
    ...{ for: [5, 20], back: `date -s @$(( $(date +%s) - ${seconds} ))` },
  });

/** What a machine does to everything that runs on it. */
export const machineKinds: readonly Kind[] = [
  step(600),
  step(-3600),
  byShell({
    ...{ name: 'memory pressure', on: anywhere, fails: true, explains: late, fences: true },
    // whoever must go when nothing is left is the hog itself
    shell: `echo 1000 > /proc/self/oom_score_adj; timeout 20 python3 -c '
import time
hog = []
try:
    for _ in range(400):
        hog.append(bytearray(b"x" * (1 << 20)))
        time.sleep(0.02)
    time.sleep(10)
except MemoryError:
    pass'`,
  }),
  byShell({
    ...{ name: 'processor pressure', on: anywhere, fails: true, explains: late, fences: true },
    shell: 'for _ in 1 2 3 4 5 6; do timeout 15 sh -c "while :; do :; done" & done; wait',
  }),
];
