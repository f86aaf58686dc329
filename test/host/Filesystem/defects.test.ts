import { symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';
import { type Agent, type Defect, testDefects } from '../defects.ts';
import { type Answer, isFree, openSandbox, recurring, type Sandbox } from './sandbox.ts';

// Known defects of the stock agent on real devices: the same state and actions for each agent, and what it does. D3, D4, D5 and D10
// are rows of filesystem-parity, D8 is in filesystem-hung.

type Params = { readonly [name: string]: string | number };
type Resource = Params & { readonly device: string; readonly directory: string };

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const call = ({ release }: Agent, action: string, params: Params): Promise<Answer> =>
  release ? sandbox.stock(action, params, release) : sandbox.ours(action, params);
/** The exit codes of several actions, one after the other. */
async function codes(agent: Agent, params: Params, ...actions: readonly string[]): Promise<string> {
  const said: string[] = [];
  for (const action of actions) {
    const monitor = action === 'rec' ? (['monitor', recurring] as const) : ([action, {}] as const);
    said.push(`${action} ${(await call(agent, monitor[0], { ...params, ...monitor[1] })).code}`);
  }
  return said.join(', ');
}

const codeOf = ({ code }: Answer) => code;

/** What is mounted on a directory, the uppermost last. */
const sourcesOn = async (directory: string) =>
  (await sandbox.mounted())
    .map((line) => line.split(' '))
    .filter(([target]) => target === directory)
    .map(([, source]) => source);

type Told = Defect & { readonly story: (params: Resource, agent: Agent) => Promise<unknown> };

const defects: readonly Told[] = [
  {
    id: 'D1',
    what: 'another device is mounted on the directory: is it left alone?',
    async story(params, agent) {
      const foreign = await sandbox.disk('ext4');
      await sandbox.run('mkdir', params.directory);
      await sandbox.run('mount', foreign, params.directory);
      const said = await codes(agent, params, 'rec', 'start', 'stop');
      return { said, left: (await sourcesOn(params.directory)).join() === foreign };
    },
    installed: { said: 'rec 0, start 0, stop 0', left: false },
    ours: { said: 'rec 1, start 1, stop 0', left: true },
  },
  {
    id: 'D2',
    what: 'the device node vanishes while mounted: is it unmounted after stop 0?',
    async story(params, agent) {
      const link = `/dev/tsha-d2-${process.pid}-${agent.name}`;
      symlinkSync(params.device, link);
      const linked = { ...params, device: link };
      await call(agent, 'start', linked);
      unlinkSync(link);
      const said = await codes(agent, linked, 'rec', 'stop');
      return { said, mounted: sandbox.isMounted(params.directory) };
    },
    later: { said: 'rec 1, stop 0', mounted: true },
    ours: { said: 'rec 0, stop 0', mounted: false },
  },
  {
    id: 'D6',
    what: 'force_unmount=true,move: the second life of a resource, and what a stop left aside',
    async story(params, agent) {
      const moving = { ...params, force_unmount: 'true,move' };
      const said = await codes(agent, moving, 'start', 'stop', 'start', 'rec', 'start');
      const aside = params.directory.replace(/[^/]*$/, '.$&');
      await sandbox.run('mount', '--move', params.directory, aside);
      const left = await codes(agent, moving, 'stop');
      const mounted = sandbox.isMounted(aside);
      if (mounted) await sandbox.run('umount', aside);
      return { said, left, mounted };
    },
    later: { said: 'start 0, stop 0, start 0, rec 7, start 1', left: 'stop 0', mounted: true },
    ours: { said: 'start 0, stop 0, start 0, rec 0, start 0', left: 'stop 0', mounted: false },
  },
  {
    id: 'D9',
    what: 'a busy mount whose users may not be ended: how many lines does a stop of 6 s log?',
    async story(params, agent) {
      await call(agent, 'start', params);
      const { end } = await sandbox.holder(`cd ${params.directory}; echo; exec sleep 60`);
      const given = { ...params, meta_timeout: 6000, force_unmount: 'false' };
      const { code, stderr } = await call(agent, 'stop', given);
      await end();
      return { code, flood: stderr.split('\n').length > 12 };
    },
    later: { code: 1, flood: true },
    ours: { code: 1, flood: false },
  },
  {
    id: 'D16',
    what: 'a label that udev is still about to name: is it waited for?',
    async story({ directory }, agent) {
      const label = `D16${agent.name}`;
      const image = join(sandbox.folder, `${label}.img`);
      await sandbox.run('truncate', '-s', '16M', image);
      await sandbox.run('mkfs.ext4', '-q', '-F', '-L', label, image);
      await sandbox.run('mkdir', '-p', '/run/udev');
      await sandbox.run('mount', '-t', 'tmpfs', 'udev', '/run/udev');
      await sandbox.run('touch', '/run/udev/queue');
      const late = sandbox.background(['sh', '-c', `sleep 4; exec losetup -f --show ${image}`]);
      const said = await codes(agent, { device: `-L ${label}`, directory, fstype: 'ext4' }, 'start', 'stop');
      await sandbox.run('losetup', '-d', String((await late).stdout));
      await sandbox.run('umount', '/run/udev');
      return said;
    },
    installed: 'start 1, stop 0',
    later: 'start 1, stop 0',
    ours: 'start 0, stop 0',
  },
  {
    id: 'D7',
    what: 'options bind,ro: can the source still be written?',
    async story(params, agent) {
      await call(agent, 'start', params);
      await sandbox.run('mkdir', `${params.directory}/d`);
      const bind = {
        device: `${params.directory}/d`,
        directory: `${params.directory}-bind`,
        fstype: 'none',
        options: 'bind,ro',
      };
      const code = codeOf(await call(agent, 'start', bind));
      const wrote = await sandbox.run('touch', `${params.directory}/d/f`).then(
        () => true,
        () => false,
      );
      await sandbox.run('umount', bind.directory);
      return { code, wrote };
    },
    installed: { code: 0, wrote: false },
    ours: { code: 0, wrote: true },
  },
  {
    id: 'D11',
    what: 'a busy mount below ours, and a timeout: does the stop end by itself?',
    async story(params, agent) {
      await call(agent, 'start', params);
      await sandbox.run('mkdir', `${params.directory}/sub`);
      await sandbox.run('mount', '-t', 'tmpfs', 'x', `${params.directory}/sub`);
      const { end } = await sandbox.holder(`cd ${params.directory}/sub; echo; exec sleep 60`);
      const given = { ...params, meta_timeout: 12_000, force_unmount: 'false' };
      const { code, ms } = await call(agent, 'stop', given);
      await end();
      return { code, inTime: ms < 15_000 }; // a quarter more, for a machine on which a process takes seconds to start and to end
    },
    installed: { code: 1, inTime: false },
    ours: { code: 1, inTime: true },
  },
  {
    id: 'D12',
    what: 'called from inside the mount: does the caller live to hear the answer?',
    async story(params, agent) {
      await call(agent, 'start', params);
      const command =
        agent.name === 'ours'
          ? `${process.execPath} ${await agentUnderTest('Filesystem')}`
          : join(agent.release?.agents ?? '', 'Filesystem');
      const env = Object.entries({ ...params, CRM_meta_timeout: 3000 }).map(
        ([name, value]) => `OCF_RESKEY_${name}=${value}`,
      );
      const script = `cd ${params.directory}; "$@" ${command} stop >/dev/null 2>&1; echo "heard $?"`;
      return sandbox
        .run(
          'bash',
          '-c',
          script,
          'bash',
          'env',
          'OCF_ROOT=/usr/lib/ocf',
          ...(agent.release ? [`OCF_FUNCTIONS_DIR=${agent.release.functions}`] : []),
          `HA_RSCTMP=${sandbox.folder}/memory`,
          ...env,
        )
        .catch(() => 'killed');
    },
    installed: 'killed',
    ours: 'heard 1',
  },
  {
    id: 'D13',
    what: 'another mount namespace has it too: is the device free after stop 0?',
    async story(params, agent) {
      await call(agent, 'start', params);
      const { end } = await sandbox.holder(
        'exec unshare -m --propagation private sh -c "echo; exec sleep 60"',
      );
      const code = codeOf(await call(agent, 'stop', params));
      const free = isFree(params.device);
      await end();
      return { code, free };
    },
    installed: { code: 0, free: false },
    ours: { code: 0, free: true },
  },
  {
    id: 'Filesystem#76, D14',
    what: 'a check level that nobody supports',
    async story(params, agent) {
      await call(agent, 'start', params);
      return codeOf(await call(agent, 'monitor', { ...params, ...recurring, OCF_CHECK_LEVEL: 15 }));
    },
    installed: 6,
    ours: 0,
  },
  {
    id: 'D15',
    what: 'stop of what is stopped, without fuser, fsck and modprobe',
    story: async (params, agent) =>
      codeOf(await call(agent, 'stop', { ...params, OCF_TESTER_FAIL_HAVE_BINARY: 1 })),
    installed: 5,
    ours: 0,
  },
  {
    id: 'Filesystem#19, D17',
    what: 'stop without device',
    story: async (params, agent) => codeOf(await call(agent, 'stop', { ...params, device: '' })),
    installed: 6,
    ours: 0,
  },
];

let count = 0;
testDefects(defects, async ({ story }, agent, expected) => {
  const directory = join(sandbox.folder, `d${count++}`);
  const device = await sandbox.disk('ext4');
  try {
    expect(await story({ device, directory, fstype: 'ext4' }, agent)).toEqual(expected);
  } finally {
    while (sandbox.isMounted(directory)) await sandbox.run('umount', '-l', '-R', directory);
  }
});
