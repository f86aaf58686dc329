import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { campaign, longestMs } from '../campaign.ts';
import { openSandbox, type Sandbox, settling } from './sandbox.ts';

// Random exports of others, random options and clients, random calls. After each call the real exportfs is the judge: etab holds
// what it writes for our options where nothing was exported before, or nothing of ours, and of the others every byte.

let box: Sandbox;
beforeAll(async () => {
  box = await openSandbox();
});
afterAll(() => box.close());

/** Each with what it excludes, in any order, doubled at will: exportfs takes the later one. */
const words = [
  ...['rw', 'ro', 'sync', 'async', 'secure', 'insecure', 'wdelay', 'no_wdelay', 'hide', 'nohide'],
  ...['crossmnt', 'nocrossmnt', 'root_squash', 'no_root_squash', 'all_squash', 'no_all_squash'],
  ...['subtree_check', 'no_subtree_check', 'secure_locks', 'insecure_locks', 'auth_nlm', 'no_auth_nlm'],
  ...['acl', 'no_acl', 'pnfs', 'no_pnfs', 'security_label', 'mp', 'mountpoint=/srv/x', 'mountpoint=/srv/y'],
  ...['sec=sys', 'sec=krb5', 'sec=krb5i:krb5p', 'sec=sys:krb5', 'sec=none'],
  ...['anonuid=0', 'anonuid=1001', 'anonuid=4294967294', 'anongid=100', 'anongid=65534'],
  ...['fsid=1', 'fsid=0', 'fsid=root', 'fsid=0x20', 'fsid=4f838db1-1111-2222-3333-44445555666a'],
  ...['refer=/x@192.0.2.1', 'refer=/x@192.0.2.1:/y@[2001:db8::1]', 'replicas=/x@192.0.2.2'],
] as const;
const clients = [
  ...['*', '*.example.com', '192.0.2.9', '10.0.0.5/24', '10.0.0.0/255.255.255.0', '[2001:db8::]/64'],
  ...[
    '2001:db8::5',
    '[2001:DB8:0::5]',
    '@group',
    'gss/krb5',
    'short',
    'FULL.example.com',
    'other.example.com',
  ],
] as const;

const options = fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((chosen) => chosen.join(','));
const situations = fc.record({
  client: fc.constantFrom(...clients),
  /** Of the others, each on a directory of its own: another resource of the same address would be the same export. */
  others: fc.array(fc.tuple(fc.constantFrom('*', '10.0.1.0/24', '@others', 'other.example.com'), options), {
    maxLength: 3,
  }),
  /** What somebody exported to our client before. */
  before: fc.option(options, { nil: undefined }),
  directories: fc.uniqueArray(fc.constantFrom('a', 'b', 'my files', 'naïve'), { minLength: 1, maxLength: 2 }),
  fsid: fc.option(fc.nat({ max: 1000 }).map(String), { nil: undefined }),
  calls: fc.array(fc.tuple(fc.constantFrom('start', 'reload-agent', 'stop'), options), {
    minLength: 1,
    maxLength: 4,
  }),
});
type Situation = typeof situations extends fc.Arbitrary<infer T> ? T : never;

/**
 * exportfs writes all of etab anew with every export, and some words of others in another way than the first time: of
 * `sec=sys,sec=krb5,sec=sys,rw` the `rw` in front becomes `ro`, which nobody reads behind a `sec=`.
 */
async function settle(): Promise<void> {
  for (const [command, ...args] of settling) await box.run(command, ...args);
}

/** As exportfs takes it on its command line. */
const argument = (client: string, path: string): string =>
  `${/^[\da-f:]*:[\da-f:]*$/i.test(client) ? `[${client}]` : client}:${path}`;

const lines = (text: string): readonly string[] => text.split('\n').filter(Boolean).sort();
const lastFsid = (chosen: string): string | undefined =>
  chosen
    .split(',')
    .findLast((word) => word.startsWith('fsid='))
    ?.slice('fsid='.length);

/** Options of each directory: the parameter replaces what the options say, a list counts on, and refuses what is no number. */
function expected({ directories, fsid }: Situation, chosen: string): readonly string[] | undefined {
  const first = fsid ?? lastFsid(chosen);
  if (first === undefined || (fsid === undefined && directories.length === 1))
    return directories.map(() => chosen);
  const rest = chosen.split(',').filter((word) => !word.startsWith('fsid='));
  if (directories.length > 1 && !/^\d+$/.test(first)) return undefined;
  return directories.map((_directory, at) =>
    [...rest, `fsid=${at === 0 ? first : Number(first) + at}`].filter(Boolean).join(','),
  );
}

async function judge(situation: Situation): Promise<void> {
  const { client, others, before, directories, fsid, calls } = situation;
  const paths = directories.map((name) => box.directory(name));
  const exported = async () => {
    await settle();
    return lines(await box.read('/var/lib/nfs/etab'));
  };
  await box.write('/var/lib/nfs/etab', '');
  const run = (chosen: string, to: string) =>
    box.run('exportfs', '-i', ...(chosen ? ['-o', chosen] : []), to).catch(() => ''); // exportfs may refuse
  for (const [at, [to, chosen]] of others.entries())
    await run(chosen, argument(to, box.directory(`other ${at}`)));
  const theirs = await exported();
  if (before !== undefined) for (const path of paths) await run(before, argument(client, path));

  const params = {
    clientspec: client,
    directory: paths.map((path) => path.replaceAll(' ', '\\040')).join(' '),
    rmtab_backup: 'none',
    ...(fsid !== undefined && { fsid }),
  };
  let ours = before !== undefined;
  for (const [action, chosen] of calls) {
    const answer = await box.ours(action, { ...params, options: chosen });
    const told = `${action} "${chosen}": ${answer.code} ${answer.reason ?? ''}`;
    const now = await exported();
    expect(now, `${told}: the exports of others`).toEqual(expect.arrayContaining([...theirs]));
    if (action === 'stop') {
      expect(answer.code, told).toBe(0);
      expect(now, told).toEqual(theirs);
      ours = false;
      continue;
    }
    const wanted = expected(situation, chosen);
    if (wanted === undefined) expect(answer.code, told).toBe(6);
    const fresh = wanted && (await freshly(client, paths, wanted));
    if (fresh === undefined || (action === 'reload-agent' && !ours)) {
      expect(answer.code, told).not.toBe(0);
      if (wanted !== undefined && !ours) expect(now, `${told}: taken back`).toEqual(theirs);
    } else {
      expect(answer.code, told).toBe(0);
      expect(now, told).toEqual([...theirs, ...fresh].sort());
      ours = true;
    }
  }
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await exported()).toEqual(theirs);
}

/** etab of these alone; `undefined` where exportfs refuses one. */
async function freshly(
  client: string,
  paths: readonly string[],
  wanted: readonly string[],
): Promise<readonly string[] | undefined> {
  const exports = paths.map((path, at) => [wanted[at] ?? '', argument(client, path)] as const);
  const etab = await box.freshThenMore(...exports).catch(() => undefined);
  return etab === undefined ? undefined : lines(etab);
}

test('N1: etab, after any calls', { timeout: longestMs }, () =>
  campaign({ file: 'test/host/exportfs/campaign.test.ts', situations, runs: 40, judge }),
);
