import { describe, expect, test } from 'vitest';
import type { Order } from '../../../../lib/host/jobs.ts';
import { node } from '../../../fake/exportfs-node.ts';
import { listed } from '../../../fake/exportfs-story.ts';
import { type ExportingMachine, etabLine } from '../../../fake/exports.ts';
import { hangs } from '../../../fake/machine.ts';

// exportfs resolves all of etab anew whenever it runs: of a link that a client puts in the place of what is exported it makes another
// export. The client may have taken the link away again when somebody looks.

const params = { directory: '/usr', options: 'rw,no_root_squash', rmtab_backup: 'none' };
const made = ['/etc', '*', 'rw,no_root_squash'] as const;
const memory = (name: string) => `/run/resource-agents/tsha/exportfs-${name}.json`;

/** What another resource of this node has noted. */
const noted = (page: object) => (machine: ExportingMachine) =>
  void machine.files.set(memory('other'), JSON.stringify({ bootId: 'boot-1', facts: {}, ...page }));
const file =
  (path: string, text: string, links: Readonly<Record<string, string>> = {}) =>
  (machine: ExportingMachine) => {
    machine.files.set(path, text);
    for (const [link, target] of Object.entries(links)) machine.links.set(link, target);
  };

describe('S24: our line is gone from etab, and nothing leads to where another one came', () => {
  type Case = {
    readonly what: string;
    /** Of etab before our start. */
    readonly before?: readonly (readonly [path: string, client?: string, options?: string])[];
    /** Of etab after it. */
    readonly line?: readonly [path: string, client?: string, options?: string];
    readonly with?: { readonly [name: string]: string };
    readonly given?: (machine: ExportingMachine) => void;
    readonly codes: readonly [monitor: number, stop: number];
    readonly stays?: boolean;
  };
  const cases: readonly Case[] = [
    { what: 'it has our client and our options', codes: [1, 0] },
    {
      what: 'it has our number, and other options by now',
      with: { fsid: '105' },
      line: ['/etc', '*', 'ro,fsid=105'],
      codes: [1, 0],
    },
    {
      what: 'exportfs has written the word in front in another way',
      with: { options: 'sec=sys,rw' },
      line: ['/etc', '*', 'sec=sys,rw'],
      codes: [1, 0],
    },
    { what: 'it has other options', line: ['/etc', '*', 'ro'], codes: [7, 0], stays: true },
    { what: 'it is of another client', line: ['/etc', '10.0.0.7', made[2]], codes: [7, 0], stays: true },
    { what: 'it was there as ours was started', before: [made], codes: [7, 0], stays: true },
    {
      what: 'it was there, with less than ours',
      before: [['/etc', '*', 'ro']],
      codes: [1, 0],
    },
    {
      what: 'an administrator has written it down',
      given: file('/etc/exports', '# ours\n"/etc" -sync *(rw,no_root_squash) 10.0.0.1\n'),
      codes: [7, 0],
      stays: true,
    },
    {
      what: 'an administrator has written down a link to it',
      given: file('/etc/exports.d/all.exports', '/srv/link \\\n *(rw)\n', { '/srv/link': '/etc' }),
      codes: [7, 0],
      stays: true,
    },
    {
      what: 'an administrator exports it to others',
      given: file('/etc/exports', '/etc 10.0.0.0/8(rw,no_root_squash)\n'),
      codes: [1, 0],
    },
    {
      what: 'another resource has started it',
      given: noted({ facts: { spellings: [{ directory: '/etc', path: '/etc', client: '*' }] } }),
      codes: [7, 0],
      stays: true,
    },
    {
      what: 'another resource is starting it',
      given: noted({ params: { directory: '/var /etc', clientspec: '*' } }),
      codes: [7, 0],
      stays: true,
    },
    {
      what: 'another resource starts it for others',
      given: noted({ params: { directory: '/var /etc', clientspec: '10.0.0.0/8' } }),
      codes: [1, 0],
    },
    {
      what: 'an earlier version has started ours: what it saw beside it is not known',
      given: (machine) => {
        const text = machine.files.get(memory('share')) ?? '';
        machine.files.set(memory('share'), text.replace(/,"beside":\[\]/, ''));
      },
      codes: [7, 0],
      stays: true,
    },
    {
      what: '/etc/exports cannot be read',
      given: (machine) => {
        const read = machine.read.bind(machine);
        machine.read = (path) =>
          path === '/etc/exports'
            ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
            : read(path);
      },
      codes: [1, 1],
      stays: true,
    },
  ];
  test.each(cases.map((one) => [one.what, one] as const))('%s', async (_what, one) => {
    const { line = made, codes, stays = false } = one;
    const { machine, watch, code } = node({ ...params, ...one.with }, listed(...(one.before ?? [])));
    expect(await code('start')).toBe(0);
    listed(line)(machine);
    one.given?.(machine);
    const seen = await watch();
    expect(seen.code).toBe(codes[0]);
    if (codes[0] === 1) expect(seen.reason).toMatch(/\/etc/);
    expect(await code('stop')).toBe(codes[1]);
    expect(machine.exported).toEqual(stays ? [`/etc ${line[1]}`] : []);
  });
});

test.each(['start', 'reload-agent'])(
  'S24: one of two directories is gone after another %s: nothing came of it',
  async (action) => {
    const { machine, code, run, watch } = node({ ...params, directory: '/usr /var' });
    expect(await code('start')).toBe(0);
    expect(await code(action)).toBe(0);
    listed(['/var', '*', 'rw,no_root_squash'])(machine);
    const { code: is, reason = '' } = await watch();
    expect(is).toBe(1);
    expect(reason).not.toContain('in place of');
    expect(await run('stop')).toMatchObject({ code: 0 });
    expect(machine.exported).toEqual([]);
  },
);

test('S23: exportfs writes where a link leads during a start, and the link is gone again: the stop does not pass it over', async () => {
  const { machine, said, code } = node(params);
  machine.on('exportfs', () => {
    listed(made)(machine);
    return 'exporting *:/usr\n';
  });
  expect(await code('start')).toBe(1);
  expect(said.join('\n')).toContain('cannot tell whether /etc, exported to *, came of /usr');
  expect(await code('stop')).toBe(1);
  expect(machine.exported).toEqual(['/etc *']);
});

describe('a line of etab lies on storage that does not answer', () => {
  const hung = (etab: string) =>
    node(params, (machine) => {
      machine.mount('/srv/a', '147:1').mount('/srv/b', '147:2');
      machine.etab = etab;
      const own = machine.handler('/agent');
      machine.on('/agent', (args, command) => {
        const { anchor } = JSON.parse(String(command.input)) as Order;
        return anchor === '/srv/a' ? hangs(command, machine) : own(args, command);
      });
    });
  const neighbour = etabLine('/srv/a/x', '10.0.0.7');

  test('no start runs exportfs, which would follow it: 1, naming it', async () => {
    const { machine, run } = hung(neighbour);
    const { code, reason } = await run('start');
    expect({ code, reason }).toMatchObject({ code: 1, reason: expect.stringContaining('/srv/a/x') });
    expect(machine.ran.filter((line) => line.startsWith('exportfs'))).toEqual([]);
    expect(machine.etab).toBe(neighbour);
  });

  test('a stop takes its line out without exportfs', async () => {
    const { machine, code } = hung(neighbour + etabLine('/usr', '*', 'rw,no_root_squash'));
    expect(await code('stop')).toBe(0);
    expect(machine.ran.filter((line) => line.startsWith('exportfs'))).toEqual([]);
    expect(machine.etab).toBe(neighbour);
  });

  test('the others are looked at all the same, or not at all', async () => {
    const lines = [1, 2, 3, 4].map((n) => etabLine(`/srv/b/${n}`, '*', 'ro')).join('');
    const { machine, code } = hung(neighbour + lines);
    expect(await code('start')).toBe(1);
    // half of the time, once
    expect(machine.clock).toBeLessThan(60_000);
  });
});

test('what is exported below one mount is looked at by one child, however much it is', async () => {
  const paths = Array.from({ length: 100 }, (_, n) => `/srv/a/${n}`);
  const { machine, code } = node({ ...params, directory: '/srv/a/0 /srv/a/1' }, (it) => {
    it.mount('/srv/a', '147:1');
    for (const path of paths) it.directories.add(path);
    it.etab = paths.map((path, n) => etabLine(path, '*', `rw,fsid=${n}`)).join('');
  });
  expect(await code('start')).toBe(0);
  // where its own lie, before and after exportfs, and where all of etab leads
  expect(machine.ran.filter((line) => line === '/agent beneath')).toHaveLength(3);
  expect(await code('stop')).toBe(0);
  expect(machine.ran.filter((line) => line === '/agent beneath')).toHaveLength(1);
});
