import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { projectFolder } from '../../../packaging/products.ts';

// `tsha drbd create` on real disks, with DRBD and the other node played by shell scripts that write down what they are called with: what is
// refused, and that nothing was changed by it.

const mib = 1024 * 1024;
const [here, there] = [hostname(), 'tsha-peer'];
let count = 0;

type Played = { readonly [program: string]: string };

/** Two disks that hold nothing, a configuration that gives them to DRBD, and the programs. */
async function stage(played: Played = {}, change = (yaml: string) => yaml) {
  const dir = mkdtempSync(join(tmpdir(), 'tsha-create-'));
  const at = (name: string) => join(dir, name);
  for (const name of ['bin', 'drbd.d']) mkdirSync(at(name));
  const loops: string[] = [];
  const devices = [0, 1].map(() => `/dev/drbd${90_000 + (process.pid % 1000) * 8 + (count++ % 8)}`);
  onTestFinished(async () => {
    for (const device of devices) rmSync(device, { force: true });
    for (const loop of loops) await execa('losetup', ['--detach', loop], { reject: false });
    rmSync(dir, { recursive: true });
  });
  for (const [index, device] of devices.entries()) {
    writeFileSync(at(`image${index}`), '');
    truncateSync(at(`image${index}`), 320 * mib);
    const { stdout } = await execa('losetup', ['--find', '--show', at(`image${index}`)]);
    loops.push(stdout);
    symlinkSync(stdout, device); // DRBD's device shows what is on the disk below
  }
  const [disk = '', state = ''] = loops;
  const yaml = `version: 1
nodes: { ${here}: { replication: 10.0.1.1 }, ${there}: { replication: 10.0.1.2 } }
drbd: { resource: data, device: ${devices[0]}, disk: ${disk} }
filesystem: { directory: /srv/nfs }
state: { device: ${devices[1]}, disk: ${state}, directory: /srv/nfs-state }
address: { ip: 10.0.0.9/24 }
exports: [{ directory: /srv/nfs/home, clients: [10.0.0.0/24], fsid: 1 }]
`;
  writeFileSync(at('tsha.yaml'), change(yaml));
  const bytes = 320 * mib;
  const answer = (generation: number, size: number) =>
    JSON.stringify({ generation, disks: [disk, state].map((path) => ({ path, bytes: size })) });
  const programs: Played = {
    modprobe: '',
    drbdsetup: 'echo "# nothing"',
    drbdadm: `case "$*" in
cstate*) printf 'Connected\\nConnected\\n' ;;
dstate*) if [ -e ${at('primary')} ]; then printf 'UpToDate/UpToDate\\nUpToDate/UpToDate\\n'; else printf 'Inconsistent/Inconsistent\\nInconsistent/Inconsistent\\n'; fi ;;
primary*) touch ${at('primary')} ;;
esac`,
    ssh: `cat > /dev/null; echo '${answer(8, bytes)}'`,
    ...Object.fromEntries(
      Object.entries(played).map(([name, script]) => [
        name,
        script
          .replace('ANSWER9', answer(9, bytes))
          .replace('SMALLER', answer(8, bytes - mib))
          .replaceAll('JOURNAL', at('journal')),
      ]),
    ),
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(at(`bin/${name}`), `#!/bin/sh\necho "${name} $*" >> ${at('journal')}\n${script}\n`);
    chmodSync(at(`bin/${name}`), 0o755);
  }
  const begin = (...words: readonly string[]) => {
    const line = `mount --bind ${at('drbd.d')} /etc/drbd.d && mount -t tmpfs srv /srv && exec "$@"`;
    // not tsx's own command: it sends a signal on a second and a third time, where the answer takes more than 30 ms
    const tsha = [process.execPath, '--import', 'tsx', join(projectFolder, 'cli/main.ts')];
    const all = ['-m', '--propagation', 'private', 'sh', '-c', line, 'sh', ...tsha, 'drbd', 'create'];
    return execa('unshare', [...all, '-c', at('tsha.yaml'), ...words], {
      reject: false,
      stdin: 'ignore',
      detached: true, // a process group of its own, which a terminal would signal
      env: { PATH: `${at('bin')}:${process.env['PATH']}`, LC_ALL: 'C.UTF-8' },
    });
  };
  const call = async (...words: readonly string[]) => {
    const done = await begin(...words);
    return { code: done.exitCode, said: `${done.stdout}\n${done.stderr}` };
  };
  /** The signals, as a terminal sends them: the first as soon as a line says so, the others as soon as it is being taken back. */
  const interruptedAt = async (sentence: string, signals: readonly NodeJS.Signals[] = ['SIGINT']) => {
    const child = begin('-y');
    const send = (signal: NodeJS.Signals) => child.pid !== undefined && process.kill(-child.pid, signal);
    const [first, ...others] = signals;
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      if (said.includes(sentence)) return;
      said += String(text);
      if (!first || !said.includes(sentence)) return;
      send(first);
      if (others.length === 0) return;
      const poll = setInterval(() => {
        if (!journal().includes('drbdadm down')) return;
        clearInterval(poll);
        for (const signal of others) send(signal);
      }, 10);
      onTestFinished(() => clearInterval(poll));
    });
    const done = await child;
    return { code: done.exitCode, said: `${done.stdout}\n${done.stderr}` };
  };
  const journal = () => {
    try {
      return readFileSync(at('journal'), 'utf8');
    } catch {
      return '';
    }
  };
  return { at, disk, state, call, interruptedAt, journal };
}
type Stage = Awaited<ReturnType<typeof stage>>;

type Row = readonly [
  what: string,
  code: number,
  said: RegExp,
  make: (stage: Stage) => unknown,
  played?: Played,
  change?: ((yaml: string) => string) | undefined,
  words?: readonly string[],
];

const changes = /create-md|drbdadm up|--here .*-y|primary|mkfs|wipefs/;
mkdirSync('/etc/drbd.d', { recursive: true });

describe('refused, and nothing changed', () => {
  const rows: readonly Row[] = [
    [
      'a filesystem on a disk',
      2,
      /loop\d+ holds something.*ext4.*--overwrite=\/dev\/loop/s,
      ({ state }) => execa('mkfs.ext4', ['-q', state]),
    ],
    [
      'data that nobody marked',
      2,
      /holds data that nobody has marked.*--overwrite=/s,
      ({ disk }) => execa('dd', ['if=/dev/urandom', `of=${disk}`, 'bs=1M', 'count=1', 'status=none']),
    ],
    [
      'a disk that is not there',
      2,
      /\/dev\/vg9\/none is not there/,
      () => {},
      {},
      (yaml) => yaml.replace(/disk: \S+ }\nfile/, 'disk: /dev/vg9/none }\nfile'),
    ],
    [
      'a file for a disk',
      2,
      /is no block device/,
      () => {},
      {},
      (yaml) => yaml.replace(/disk: \S+ }\nfile/, 'disk: /etc/hostname }\nfile'),
    ],
    [
      'another file of that name',
      2,
      /data\.res is there and says something else/,
      ({ at }) => writeFileSync(at('drbd.d/data.res'), 'resource data {}\n'),
    ],
    [
      'a disk of nobody to overwrite',
      3,
      /no disk of the pair on this node is called so/,
      () => {},
      {},
      undefined,
      ['--overwrite=/dev/sdz'],
    ],
    [
      'the other node refuses',
      2,
      new RegExp(`${there}: /dev/sdb holds something`),
      () => {},
      {
        ssh: 'cat > /dev/null; echo "Warning: a new host" >&2; echo "tsha: /dev/sdb holds something" >&2; exit 2',
      },
    ],
    [
      'a smaller disk there',
      2,
      new RegExp(`320 MiB here and 319 MiB on ${there}`),
      () => {},
      { ssh: "cat > /dev/null; echo 'SMALLER'" },
    ],
    ['another DRBD there', 2, /DRBD 8 here and 9 on/, () => {}, { ssh: "cat > /dev/null; echo 'ANSWER9'" }],
    [
      'a node that is not in the file',
      3,
      /this is .*, and the file names/,
      () => {},
      {},
      (yaml) => yaml.replace(`${here}:`, 'somebody:'),
    ],
    [
      'no first copy where the other side was not seen',
      3,
      /takes both sides for alike/,
      () => {},
      { ssh: 'echo "ssh: no route" >&2; exit 255' },
      undefined,
      ['-y', '--skip-sync'],
    ],
    ['nobody says yes', 3, /-y/, () => {}, {}, undefined, ['--no-input']],
  ];
  for (const [what, code, said, make, played, change, words = ['-y']] of rows)
    test(what, { timeout: 120_000 }, async () => {
      const on = await stage(played, change);
      await make(on);
      const answer = await on.call(...words);
      expect(answer, answer.said).toMatchObject({ code, said: expect.stringMatching(said) });
      expect(on.journal()).not.toMatch(changes);
    });
});

test('-n: both nodes are looked at, what would be done is said, and nothing is', {
  timeout: 120_000,
}, async () => {
  const on = await stage();
  const answer = await on.call('-n');
  expect(answer, answer.said).toMatchObject({ code: 0 });
  expect(answer.said).toMatch(/create-md data[\s\S]*primary --force data[\s\S]*mkfs\.xfs[\s\S]*mkfs\.ext4/);
  expect(on.journal()).not.toMatch(changes);
});

test('both sides, filesystems, directories; a second call finds it', { timeout: 300_000 }, async () => {
  const on = await stage();
  const answer = await on.call('-y');
  expect(answer, answer.said).toMatchObject({
    code: 0,
    said: expect.stringContaining('Both copies are UpToDate.'),
  });
  const order = [
    'drbdadm create-md data',
    'drbdadm up data',
    '--here',
    'drbdadm primary --force data',
    'drbdadm secondary data',
  ];
  const places = order.map((step) => on.journal().lastIndexOf(step));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  expect(readFileSync(on.at('drbd.d/data.res'), 'utf8')).toContain('volume 1 {');
  const types = await Promise.all(
    [on.disk, on.state].map(
      async (disk) => (await execa('blkid', ['-o', 'value', '-s', 'TYPE', disk])).stdout,
    ),
  );
  expect(types).toEqual(['xfs', 'ext4']);
});

describe('what fails before anybody’s content counts is taken back', () => {
  test.each<readonly [what: string, played: Played, said: RegExp]>([
    [
      'the other node, when it comes to it',
      {
        ssh: `cat > /dev/null; case "$*" in *-y*) echo "tsha: no space" >&2; exit 2 ;; *) echo '${'ANSWER8'}' ;; esac`,
      },
      new RegExp(`${there}: no space`),
    ],
    [
      'sides that are not new',
      { drbdadm: `case "$*" in cstate*) echo Connected ;; dstate*) echo UpToDate/Inconsistent ;; esac` },
      /not both sides are just created \(UpToDate\/Inconsistent\)/,
    ],
    [
      'create-md',
      { drbdadm: `case "$*" in create-md*) echo "found some data" >&2; exit 1 ;; esac` },
      /create-md.*found some data/,
    ],
  ])('%s', { timeout: 120_000 }, async (what, played, said) => {
    const eight = JSON.stringify({
      generation: 8,
      disks: [0, 1].map(() => ({ path: '/dev/x', bytes: 320 * mib })),
    });
    const on = await stage(
      Object.fromEntries(
        Object.entries(played).map(([name, script]) => [name, script.replace('ANSWER8', eight)]),
      ),
    );
    const answer = await on.call('-y');
    expect(answer, answer.said).toMatchObject({ code: 2, said: expect.stringMatching(said) });
    if (what === 'create-md') expect(on.journal(), 'its meta-data may be somebody’s').not.toMatch(/wipe-md/);
    else expect(on.journal()).toMatch(/drbdadm down data\n(.*\n)*drbdadm -- --force wipe-md data/);
    expect(on.journal()).not.toMatch(/primary/);
    await expect(execa('test', ['-e', on.at('drbd.d/data.res')])).rejects.toThrow();
  });
});

describe('Ctrl-C', () => {
  const states = (c: string, d: string) =>
    `case "$*" in cstate*) echo ${c} ;; dstate*) if grep -q primary JOURNAL; then echo ${d}; else echo Inconsistent/Inconsistent; fi ;; esac`;

  const once = states('WFConnection', '-');
  const again = `case "$*" in down*) sleep 2 ;; esac\n${once}`;
  test.for<readonly [what: string, drbdadm: string, signals: readonly NodeJS.Signals[]]>([
    ['once', once, ['SIGINT']],
    ['and again while it is taken back', again, ['SIGINT', 'SIGINT', 'SIGINT']],
    ['and the terminal is closed then', again, ['SIGINT', 'SIGHUP', 'SIGTERM']],
  ])(
    'while the other node is waited for, %s: taken back',
    { timeout: 120_000 },
    async ([, drbdadm, signals]) => {
      const on = await stage({ drbdadm: `${drbdadm}\necho "ended $*" >> JOURNAL` });
      const answer = await on.interruptedAt('waiting for', signals);
      expect(answer.code, answer.said).toBe(130);
      expect(on.journal()).toMatch(
        /drbdadm down data\nended down data\n(.*\n)*drbdadm -- --force wipe-md data/,
      );
      expect(on.journal()).toMatch(/ended -- --force wipe-md data\n$/);
      expect(existsSync(on.at('drbd.d/data.res'))).toBe(false);
    },
  );

  test('during the first copy: only the waiting ends, and what was made stays', {
    timeout: 120_000,
  }, async () => {
    const on = await stage({ drbdadm: states('Connected', 'UpToDate/Inconsistent') });
    const answer = await on.interruptedAt(': ext4');
    expect(answer.code, answer.said).toBe(130);
    expect(on.journal()).not.toMatch(/drbdadm down|wipe-md/);
    expect(existsSync(on.at('drbd.d/data.res'))).toBe(true);
  });
});
