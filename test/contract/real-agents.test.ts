import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentOf, cluster, type Env, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// ocf-contract cases 41-47, 86 and 93 with the agents that can run on any machine: on a loop device, in a network of their own.

/** Where the agent acts: `$dir` is the sandbox; what the shell makes of the machine ends with its namespaces. */
const places = [
  {
    name: 'Filesystem',
    namespaces: '-mpf',
    setUp: `
      truncate -s 32M "$dir/image"
      mkfs.ext4 -q -F "$dir/image"
      loop=$(losetup --find --show "$dir/image")
      trap 'losetup --detach "$loop"' EXIT
      ln -s "$loop" "$dir/device"
      mkdir "$dir/mnt"`,
    params: (dir: string) => ({ device: `${dir}/device`, directory: `${dir}/mnt`, fstype: 'ext4' }),
  },
  {
    name: 'IPaddr2',
    namespaces: '-mnpf',
    setUp: `
      ip link set lo up
      ip link add eth0 type veth peer name peer
      ip link set eth0 up
      ip link set peer up
      ip addr add 192.0.2.1/24 dev eth0`,
    params: () => ({ ip: '192.0.2.2', nic: 'eth0', cidr_netmask: '24', arp_count: '1' }),
  },
] as const;

describe.each(flavours)('%s', (flavour) => {
  describe.each(places)('$name', ({ name, namespaces, setUp, params }) => {
    const file = agentOf(flavour, name);
    const inPlace = (dir: string, script: string, env: Env, ...args: readonly string[]) =>
      run(
        [
          'unshare',
          namespaces,
          '--mount-proc',
          '--kill-child',
          'sh',
          '-ec',
          `${setUp}\n${script}`,
          'sh',
          ...args,
        ],
        { ...env, dir },
      );

    test('ocf-tester', async () => {
      const dir = sandbox();
      const given = Object.entries(params(dir)).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
      const { PATH, HA_RSCTMP } = cluster(dir);
      const answer = await inPlace(dir, '"$@"', { PATH, HA_RSCTMP }, 'ocf-tester', '-n', 'x', ...given, file);
      expect(answer.stdout).toContain('passed all tests');
      expect(answer.code).toBe(0);
    });

    test('a life, every step twice; a steady monitor runs no command and prints nothing', async () => {
      const dir = sandbox();
      const trace = join(dir, 'trace');
      const script = `
        step() { rc=0; "$1" "$2" || rc=$?; echo "$2 $rc"; }
        for action in monitor stop start start monitor; do step "$1" $action; done
        strace -f -qq -z -e trace=execve -o "${trace}" "$1" monitor
        for action in stop stop monitor; do step "$1" $action; done`;
      const given = Object.fromEntries(
        Object.entries(params(dir)).map(([key, value]) => [`OCF_RESKEY_${key}`, value]),
      );
      const { stdout, stderr } = await inPlace(dir, script, { ...cluster(dir), ...given }, file);
      const ends = [
        'monitor 7',
        'stop 0',
        'start 0',
        'start 0',
        'monitor 0',
        'stop 0',
        'stop 0',
        'monitor 7',
      ];
      expect(stdout.trim().split('\n'), stderr).toEqual(ends);
      // The launcher and the runtime it turns into; Node, when its path is not fixed, is asked for its version first.
      const executed = readFileSync(trace, 'utf8').match(/execve\("[^"]+"/g) ?? [];
      expect(executed.length, executed.join()).toBe(flavour === 'native' ? 2 : 3);
    });
  });
});
