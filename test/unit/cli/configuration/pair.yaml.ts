/** The configuration of the tests: every section, two networks, both families. */
export const pairYaml = `version: 1
name: nfs
nodes:
  alpha: { replication: 10.0.1.1 }
  beta: { replication: 10.0.1.2, disk: /dev/vg1/nfs }
drbd: { resource: data, device: /dev/drbd1, disk: /dev/vg0/nfs, port: 7789 }
filesystem: { type: xfs, directory: /srv/nfs }
address: { ip: 10.0.0.9/24, ip6: "2001:db8::9/64", interface: eth0 }
nfs:
  versions: [4, 3]
  lease: 15s
  grace: 20s
  threads: 16
  ports: { mountd: 20048, statd: 662, lockd: 32803 }
exports:
  - { directory: /srv/nfs/home, clients: [10.0.0.0/24, "2001:db8::/64"], options: "rw,sync", fsid: 1 }
  - { directory: /srv/nfs/pub, clients: ["*"], options: ro, fsid: 2 }
fencing:
  alpha: { agent: fence_ipmilan, options: { ip: 10.0.2.1, username: admin } }
  beta: { agent: fence_ipmilan, options: { ip: 10.0.2.2, username: admin } }
accept:
  - { code: GRACE_DEFAULT, why: old clients, until: 2027-01-31 }
`;

/** The same with a filesystem of its own for the state of the server. */
export const pairWithState = pairYaml
  .replace('disk: /dev/vg1/nfs }', 'disk: /dev/vg1/nfs, stateDisk: /dev/vg1/state }')
  .replace(
    'address:',
    'state: { device: /dev/drbd2, disk: /dev/vg0/state, directory: /srv/nfs-state }\naddress:',
  );
