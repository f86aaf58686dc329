import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NfsSandbox, openNfsSandbox } from './sandbox.ts';

// N8 with the real systemd, as the manager of a sandbox whose units it takes down as a shutdown does: all in one transaction.
// `pacemaker.service` calls the agent as it stops; the daemons are the real ones, nfsd's threads a file.

let machine: NfsSandbox;
beforeAll(async () => {
  machine = await openNfsSandbox();
});
afterAll(() => machine.close());

const shared = () => ({ nfs_shared_infodir: `${machine.disk}/info`, nfs_no_notify: 'true' });
const units = '/run/systemd/system';

const prepare = (bin: string) => `
mkdir -p ${units} /run/systemd/user /run/manager /run/empty
mount --bind ${units} /run/systemd/user
[ ! -e /lib/systemd/system/resource-agents-deps.target ] || mount --bind /dev/null /lib/systemd/system/resource-agents-deps.target
mount -t tmpfs cgroups /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd none /sys/fs/cgroup/systemd || umount /sys/fs/cgroup # the unified hierarchy
printf '#!/bin/sh\\nexport XDG_RUNTIME_DIR=/run/manager\\nexec /usr/bin/systemctl --user "$@"\\n' > ${bin}/systemctl
printf '#!/bin/sh\\n[ "$1" = 0 ] || { echo Usage:; exit 2; }\\necho 0 > /proc/fs/nfsd/threads\\n' > ${bin}/rpc.nfsd
chmod +x ${bin}/systemctl ${bin}/rpc.nfsd
unit() { printf "[Service]\\n$2\\n" > ${units}/$1.service; }
unit nfs-server 'Type=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/sh -c "echo 8 > /proc/fs/nfsd/threads"\\nExecStop=/bin/sh -c "touch /run/ended; echo 0 > /proc/fs/nfsd/threads"'
unit nfs-mountd 'ExecStart=/usr/sbin/rpc.mountd -F\\nExecStopPost=/bin/sh -c "touch /run/mountd.ended"'
unit rpc-statd 'Type=forking\\nExecStartPre=/bin/sh -c "until rpcinfo -p; do sleep 0.05; done"\\nExecStart=/sbin/rpc.statd --no-notify'
unit rpcbind 'ExecStart=/sbin/rpcbind -f'
for name in nfsdcld nfs-idmapd; do ln -s /dev/null ${units}/$name.service; done
cat > ${units}/pacemaker.service <<END
[Unit]
Wants=resource-agents-deps.target
After=resource-agents-deps.target
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh /run/stop.sh
TimeoutStopSec=60
END
cd / # and nothing of the host's own units
XDG_RUNTIME_DIR=/run/manager XDG_CONFIG_HOME=/run/empty HOME=/run/empty SYSTEMD_LOG_TARGET=null \\
  SYSTEMD_UNIT_PATH=/run/systemd/user: systemd --user --unit=basic.target > /dev/null 2>&1 < /dev/null &
for i in $(seq 1000); do ${bin}/systemctl is-active -q basic.target && break; sleep 0.1; done
${bin}/systemctl start pacemaker.service
${bin}/systemctl is-active pacemaker.service`;

test.skipIf(!existsSync('/usr/bin/systemd'))(
  'N8: systemd ends the server only after Pacemaker has, and waits for nobody that waits for it',
  async () => {
    const bin = machine.disk.replace(/disk$/, 'bin');
    expect(await machine.sh(prepare(bin))).toBe('active');
    expect((await machine.ours('monitor', shared())).code).toBe(7); // the probe puts everything in order
    expect(await machine.ours('start', shared())).toMatchObject({ code: 0, reason: '' });
    expect(await machine.sh(`${bin}/systemctl is-active resource-agents-deps.target`)).toBe('active');
    await machine.sh('touch /var/lib/nfs/sm/10.0.0.51');

    // Pacemaker takes its time; a server that ends beside it is gone by then
    await machine.sh(`cat > /run/stop.sh <<'END'
sleep 2
touch /run/asked
while [ ! -e /run/answered ]; do sleep 0.05; done
END`);
    await machine.sh(
      `setsid ${bin}/systemctl exit > /dev/null 2>&1 < /dev/null & sleep 0; for i in $(seq 1500); do [ -e /run/asked ] && break; sleep 0.1; done`,
    );
    expect(await machine.sh('cat /proc/fs/nfsd/threads; ls /run/ended /run/mountd.ended 2> /dev/null')).toBe(
      '8',
    );
    const answer = await machine.ours('stop', { ...shared(), meta_timeout: 20_000 });
    await machine.sh('touch /run/answered');
    expect(answer).toMatchObject({ code: 0, reason: '' });
    expect(await machine.sh('ls /var/lib/nfs/sm.bak; findmnt -rno TARGET /var/lib/nfs')).not.toContain(
      '/var/lib/nfs',
    );
    expect(await machine.sh(`ls ${machine.disk}/info/sm.bak`)).toBe('10.0.0.51');
    // a job of the shutdown would be waited for in vain: its turn comes after Pacemaker's, which waits for this stop
    expect(answer.stderr).not.toMatch(/systemctl stop .* after \d/);
  },
);
