import { readFile } from 'node:fs/promises';
import { nodes, peerOf } from '../settings.ts';
import { growVolume, makeVolumes } from '../tutorial/lab-values.ts';
import { expectTsha } from './operate/tsha.ts';
import type { Run } from './run.ts';

// From two nodes with corosync and packages to a serving pair, by the command alone: init, drbd create, apply.

/** The logical volumes of tutorial/lab-values.ts; no udev makes their names here. */
const [dataDisk, stateDisk] = ['/dev/dm-0', '/dev/dm-1'];
const init = [
  'init --nodes=node1=10.77.1.11,node2=10.77.1.12',
  `--disk=${dataDisk} --state-disk=${stateDisk} --directory=/srv/nfs`,
  '--ip=10.77.0.20/24 --export=/srv/nfs/share=10.77.0.0/24',
].join(' ');

const bare = [
  'systemctl stop nfs-server',
  'rm -rf /etc/drbd.d/data.res /nfsdata',
  'rm -f /var/lib/pacemaker/cib/*',
  makeVolumes,
  'chmod 600 /root/.ssh/id_ed25519',
  'echo "StrictHostKeyChecking accept-new" > /root/.ssh/config',
  'systemctl start corosync pacemaker',
].join('\n');

/** A cluster with nothing in it, and a root who may log in to the other node. */
export async function emptyCluster({ lab, steps, checks }: Run): Promise<void> {
  checks.begin('build');
  const key = await readFile(lab.image.sshKey, 'utf8');
  await steps.run('two nodes with corosync', 240, async (signal) => {
    await Promise.all(
      lab.nodes.map(async (node) => {
        await node.write('/root/.ssh/id_ed25519', key, { signal });
        await node.run(bare, { signal, timeout: 200_000 });
      }),
    );
    await lab
      .machine('node1')
      .run(
        "until crm_mon --one-shot | grep -q 'Online: \\[ node1 node2 \\]'; do sleep 1; done; crm_attribute --type crm_config --name stonith-enabled --update false",
        { signal, timeout: 200_000 },
      );
  });
}

export async function build(run: Run): Promise<void> {
  const { lab, steps, checks } = run;
  const on = (machine: 'node1' | 'node2' | 'client', command: string) =>
    steps.run(`${machine}: ${command}`, 120, (signal) => lab.machine(machine).run(command, { signal }));
  const call = (words: string, code: number, says: RegExp, node: 'node1' | 'node2' = 'node1') =>
    expectTsha(run, { node, words, code, says });

  await call(init, 0, /is written/);
  await call(init, 3, /is there already/);

  // somebody's filesystem on the other node's disk, and a disk that is in use on this one
  await on('node2', `mkfs.ext4 -q ${stateDisk}`);
  await call('drbd create -y', 2, /node2: \/dev\/dm-1 holds something.*ext4.*--overwrite=\/dev\/dm-1/s);
  await on('node2', `wipefs -q -a ${stateDisk}; dd if=/dev/zero of=${stateDisk} bs=1M status=none || true`);
  await on('node1', `mkfs.ext4 -q ${stateDisk}; mount ${stateDisk} /mnt`);
  await call('drbd create -y', 2, /\/dev\/dm-1 is in use: .*\/mnt/);
  await on(
    'node1',
    `umount /mnt; wipefs -q -a ${stateDisk}; dd if=/dev/zero of=${stateDisk} bs=1M status=none || true`,
  );
  checks.add(
    'nothing was changed by what was refused',
    (await on('node1', 'ls /etc/drbd.d; drbdsetup status')).trim() === 'global_common.conf',
  );

  await call('drbd create -n', 0, /drbdadm create-md data[\s\S]*mkfs\.ext4/);
  await call('drbd create -y', 0, /node1 is Primary[\s\S]*\/dev\/drbd2: ext4[\s\S]*Both copies are UpToDate/);
  await call('drbd create -y', 2, /has a resource data here already/);
  await call('apply -n', 1, /\+ nfs-state/);
  await call('apply -y', 0, /All of it runs on node/);
  // no resource writes what nfsd itself reads: apply says what is to be typed, on both nodes
  await call('apply -y', 1, /tsha\.conf on node1 is not what the file asks for/);
  const advised = await on('node1', "tsha apply -n | sed -n 's/^ *[^ ]* \\(printf .*nfs\\.conf.*\\)$/\\1/p'");
  for (const node of ['node1', 'node2'] as const) await on(node, advised.trim());
  await call('apply -y', 0, /Nothing to do/);
  await call('status', 0, /OK/);

  await on('client', 'mkdir -p /mnt/share && mount -t nfs -o vers=4.2 10.77.0.20:/srv/nfs/share /mnt/share');
  const active = (
    await on('node1', "crm_mon -1 | sed -n 's/.*Promoted: \\[ \\(node.\\) \\].*/\\1/p'")
  ).trim();
  const home = nodes.find((node) => node === active) ?? 'node1';
  await on(home, 'chmod 777 /srv/nfs/share; mkdir /srv/nfs/more');
  await on('client', 'echo kept > /mnt/share/file');
  await on(
    home,
    `[ -e /etc/tsha/tsha.yaml ] || scp -q node1:/etc/tsha/tsha.yaml /etc/tsha/ 2> /dev/null || { mkdir -p /etc/tsha; scp -q node1:/etc/tsha/tsha.yaml /etc/tsha/; }
sed -i 's|^exports:|exports:\\n  - { directory: /srv/nfs/more, clients: ["10.77.0.0/24"], options: "rw,sync", fsid: 2 }|' /etc/tsha/tsha.yaml`,
  );
  await call('apply -y', 0, /Nothing that runs is stopped[\s\S]*All of it runs on/, home);
  checks.add(
    'the client sees the new export, and its file is there',
    (
      await on(
        'client',
        'mkdir -p /mnt/more && mount -t nfs -o vers=4.2 10.77.0.20:/srv/nfs/more /mnt/more && cat /mnt/share/file',
      )
    ).trim() === 'kept',
  );
  await call('switch -y', 0, /Serving from node/, home);
  checks.add(
    'the file is there after the switch',
    (await on('client', 'cat /mnt/share/file')).trim() === 'kept',
  );

  const serving = peerOf(home);
  await on(serving, `mkdir -p /etc/tsha; scp -q ${home}:/etc/tsha/tsha.yaml /etc/tsha/`);
  const sizeOfShare = async () => Number(await on('client', 'df --output=size /mnt/share | tail -1'));
  const before = await sizeOfShare();
  await call('drbd grow', 0, /no larger than their devices/, serving);
  await on(home, growVolume);
  await call('drbd grow -y', 2, /Make them alike/, serving);
  await on(serving, growVolume);
  await call('drbd grow -y', 2, /not mounted here/, home);
  await call('drbd grow -y', 0, /drbdadm resize data\/0[\s\S]*Both copies are UpToDate/, serving);
  const after = await sizeOfShare();
  checks.add('the client sees a larger filesystem', after > before, `${before} KiB, ${after} KiB`);

  await on('client', 'umount /mnt/share /mnt/more');
  await call('remove -n', 1, /THE SERVICE ENDS/, home);
  await call('remove -y', 0, /has nothing of it any more/, home);
  await call('remove -y', 0, /Nothing of \/etc\/tsha\/tsha.yaml is in the cluster/, home);
  const left = await on(
    home,
    'cibadmin --query --xpath //primitive 2>&1; drbdsetup status; ip -brief address',
  );
  checks.add('nothing of it runs, and nothing is configured', !/nfs-|data|10\.77\.0\.20/.test(left), left);
  await on(home, 'drbdadm up data; drbdadm primary data; mount -o ro /dev/drbd1 /srv/nfs');
  checks.add('the data is still there', (await on(home, 'cat /srv/nfs/share/file')).trim() === 'kept');
  await on(home, 'umount /srv/nfs; drbdadm down data');
  await call('apply -y', 0, /All of it runs on/, home);
}
