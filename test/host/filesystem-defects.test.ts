import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentUnderTest } from './agent-under-test.ts';
import { type Answer, openSandbox, recurring, type Sandbox } from './filesystem-sandbox.ts';

// Known defects of the stock agent that filesystem-parity does not show: the same state and actions for both, and what each does.
// D1, D3, D4, D5 and D10 are rows there. The installed release is 4.12; D2, D6, D9 and D16 came later, so they are tested for ours
// only, there and in filesystem-stop.

type Params = { readonly [name: string]: string | number };
type Agent = 'stock' | 'ours';
type Defect = {
  readonly id: string;
  readonly what: string;
  readonly story: (agent: Agent, params: Params & { device: string; directory: string }) => Promise<unknown>;
  readonly stock: unknown;
  readonly ours: unknown;
};

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

/** A process in the namespace, once it says that it is ready. */
async function holder(script: string) {
  const child = sandbox.background(['bash', '-c', script]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return async () => {
    child.kill('SIGKILL');
    await child;
  };
}
const isMounted = async (directory: string) =>
  (await sandbox.mounted()).some((line) => line.split(' ')[0] === directory);
function isFree(device: string): boolean {
  try {
    closeSync(openSync(device, constants.O_RDONLY | constants.O_EXCL));
    return true;
  } catch {
    return false;
  }
}
const codeOf = ({ code }: Answer) => code;

const defects: readonly Defect[] = [
  {
    id: 'D7',
    what: 'options bind,ro: can the source still be written?',
    async story(agent, params) {
      await sandbox[agent]('start', params);
      await sandbox.run('mkdir', `${params.directory}/d`);
      const bind = {
        device: `${params.directory}/d`,
        directory: `${params.directory}-bind`,
        fstype: 'none',
        options: 'bind,ro',
      };
      const code = codeOf(await sandbox[agent]('start', bind));
      const wrote = await sandbox.run('touch', `${params.directory}/d/f`).then(
        () => true,
        () => false,
      );
      await sandbox.run('umount', bind.directory);
      return { code, wrote };
    },
    stock: { code: 0, wrote: false },
    ours: { code: 0, wrote: true },
  },
  {
    id: 'D11',
    what: 'a busy mount below ours, timeout 4 s: does the stop end in time?',
    async story(agent, params) {
      await sandbox[agent]('start', params);
      await sandbox.run('mkdir', `${params.directory}/sub`);
      await sandbox.run('mount', '-t', 'tmpfs', 'x', `${params.directory}/sub`);
      const end = await holder(`cd ${params.directory}/sub; echo; exec sleep 60`);
      const given = { ...params, meta_timeout: 4000, force_unmount: 'false' };
      const { code, ms } = await sandbox[agent]('stop', given);
      await end();
      return { code, inTime: ms < 4000 };
    },
    stock: { code: 1, inTime: false },
    ours: { code: 1, inTime: true },
  },
  {
    id: 'D12',
    what: 'called from inside the mount: does the caller live to hear the answer?',
    async story(agent, params) {
      await sandbox[agent]('start', params);
      const command =
        agent === 'ours'
          ? `${process.execPath} ${await agentUnderTest('Filesystem')}`
          : '/usr/lib/ocf/resource.d/heartbeat/Filesystem';
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
          `HA_RSCTMP=${sandbox.folder}/memory`,
          ...env,
        )
        .catch(() => 'killed');
    },
    stock: 'killed',
    ours: 'heard 1',
  },
  {
    id: 'D13',
    what: 'another mount namespace has it too: is the device free after stop 0?',
    async story(agent, params) {
      await sandbox[agent]('start', params);
      const end = await holder('exec unshare -m --propagation private sh -c "echo; exec sleep 60"');
      const code = codeOf(await sandbox[agent]('stop', params));
      const free = isFree(params.device);
      await end();
      return { code, free };
    },
    stock: { code: 0, free: false },
    ours: { code: 0, free: true },
  },
  {
    id: 'D14',
    what: 'a check level that nobody supports',
    async story(agent, params) {
      await sandbox[agent]('start', params);
      return codeOf(await sandbox[agent]('monitor', { ...params, ...recurring, OCF_CHECK_LEVEL: 15 }));
    },
    stock: 6,
    ours: 0,
  },
  {
    id: 'D15',
    what: 'stop of what is stopped, without fuser, fsck and modprobe',
    story: async (agent, params) =>
      codeOf(await sandbox[agent]('stop', { ...params, OCF_TESTER_FAIL_HAVE_BINARY: 1 })),
    stock: 5,
    ours: 0,
  },
  {
    id: 'D17',
    what: 'stop without device',
    story: async (agent, params) => codeOf(await sandbox[agent]('stop', { ...params, device: '' })),
    stock: 6,
    ours: 0,
  },
];

const told = defects.flatMap((defect) =>
  (['stock', 'ours'] as const).map(
    (agent) => [`${defect.id}, ${agent}: ${defect.what}`, { ...defect, agent }] as const,
  ),
);
let count = 0;

test.each(told)(
  '%s',
  async (_what, { agent, story, ...expected }) => {
    const directory = join(sandbox.folder, `d${count++}`);
    const device = await sandbox.disk('ext4');
    try {
      expect(await story(agent, { device, directory, fstype: 'ext4' })).toEqual(expected[agent]);
    } finally {
      if (await isMounted(directory)) await sandbox.run('umount', '-l', '-R', directory);
    }
  },
  20_000,
);
