import { describe, expect, test } from 'vitest';
import { agents, validParams } from './agents.ts';
import { agentOf, cluster, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// S19: what an agent must know later it writes below /run. Where that cannot be written, a start has failed, and leaves nothing.

/** Calls a program while /run has no room, one after the other, and tells what each said and what is in /run afterwards. */
const inFullRun = `
  mount -t tmpfs -o "$OPTIONS" tmpfs /run
  [ ! -d /var/lib/nfs ] || mount -t tmpfs tmpfs /var/lib/nfs
  ip link set lo up
  eval "$FILL"
  find /run | sort
  for action in start monitor stop start; do
    "$1" "$action" 2>&1
    echo "$action $?"
    find /run | sort
  done`;

const runs = {
  'no blocks': { OPTIONS: 'size=16k', FILL: 'cat /dev/zero >/run/filled 2>&- || :' },
  'no blocks, the directory is there': {
    OPTIONS: 'size=16k',
    FILL: 'mkdir -p /run/resource-agents/tsha; cat /dev/zero >/run/filled 2>&- || :',
  },
  'no inodes': {
    OPTIONS: 'nr_inodes=9',
    FILL: 'mkdir -p /run/resource-agents/tsha; n=0; while touch /run/f$n; do n=$((n+1)); done 2>&- || :',
  },
  'read-only': { OPTIONS: 'size=16k', FILL: 'mount -o remount,ro /run' },
};

const startable = {
  ...validParams,
  drbd: { ...validParams.drbd, OCF_RESKEY_ignore_missing_notifications: 'true' },
};

describe.each(flavours)('S19: %s', (flavour) => {
  describe.each(agents)('%s', (agent) => {
    test.each(Object.entries(runs))(
      '%s: start 1 and its reason, stop 0, nothing is left',
      async (_what, how) => {
        const env = { ...cluster(sandbox()), ...startable[agent], ...how, HA_RSCTMP: undefined };
        const unshare = ['unshare', '-mnpf', '--mount-proc', '--kill-child'];
        const shell = ['sh', '-c', inFullRun, 'sh', agentOf(flavour, agent)];
        const { stdout } = await run([...unshare, ...shell], env);
        const said = stdout.split('\n').filter((line) => !line.startsWith('/run'));
        const answers = ['start 1', 'monitor 7', 'stop 0', 'start 1'];
        expect(said.filter((line) => /^\w+ \d+$/.test(line))).toEqual(answers);
        const reason = /^ocf-exit-reason:cannot write \/run\/.*: (ENOSPC|EROFS)$/;
        expect(said.filter((line) => reason.test(line))).toHaveLength(2);
        const made = /^\/run\/resource-agents(\/tsha)?\n/gm;
        const trees = stdout.split(/^(?!\/run).*\n/m).filter((tree) => tree !== '');
        expect(trees).toHaveLength(5);
        for (const tree of trees) expect(tree.replace(made, '')).toBe(trees[0]?.replace(made, ''));
      },
    );
  });
});
