import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { here, type Played, type Stage, stage, there } from './create-stage.ts';

// `tsha drbd create`: what is refused, and that nothing was changed by it; what is made, and what is taken back.

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
        ssh: `cat > /dev/null; case "$*" in *-y*) echo "tsha: no space" >&2; exit 2 ;; *) echo 'ANSWER8' ;; esac`,
      },
      new RegExp(`${there}: no space`),
    ],
    [
      'create-md',
      { drbdadm: `case "$*" in create-md*) echo "found some data" >&2; exit 1 ;; esac` },
      /create-md.*found some data/,
    ],
  ])('%s', { timeout: 120_000 }, async (what, played, said) => {
    const on = await stage(played);
    const answer = await on.call('-y');
    expect(answer, answer.said).toMatchObject({ code: 2, said: expect.stringMatching(said) });
    if (what === 'create-md') expect(on.journal(), 'its meta-data may be somebody’s').not.toMatch(/wipe-md/);
    else expect(on.journal()).toMatch(/drbdadm down data\n(.*\n)*drbdadm -- --force wipe-md data/);
    expect(on.journal()).not.toMatch(/primary/);
    expect(answer.said, 'the other node has made nothing').not.toMatch(/wipe-md/);
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
      expect(answer.code, answer.said).toBe(4); // the other node's side is left
      expect(on.journal()).toMatch(
        /drbdadm down data\nended down data\n(.*\n)*drbdadm -- --force wipe-md data/,
      );
      expect(on.journal()).toMatch(/ended -- --force wipe-md data\n((drbdadm|ended) [cd]state data\n)*$/);
      expect(existsSync(on.at('drbd.d/data.res'))).toBe(false);
    },
  );

  test('during the first copy: only the waiting ends, and what was made stays', {
    timeout: 120_000,
  }, async () => {
    const on = await stage({ drbdadm: states('Connected', 'UpToDate/Inconsistent') });
    const answer = await on.interruptedAt(': ext4');
    expect(answer.code, answer.said).toBe(4);
    expect(on.journal()).not.toMatch(/drbdadm down|wipe-md/);
    expect(existsSync(on.at('drbd.d/data.res'))).toBe(true);
  });
});
