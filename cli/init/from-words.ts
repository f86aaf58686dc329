import { CommandError } from '../exit.ts';
import type { Draft } from './draft.ts';

/** What flags or answers say; everything is text that somebody typed. */
export type Words = {
  readonly nodes?: string | undefined;
  readonly disk?: string | undefined;
  readonly stateDisk?: string | undefined;
  readonly device?: string | undefined;
  readonly resource?: string | undefined;
  readonly directory?: string | undefined;
  readonly ip?: string | undefined;
  readonly ip6?: string | undefined;
  readonly export?: readonly string[] | undefined;
  readonly nfs3?: boolean | undefined;
};

const firstDevice = '/dev/drbd1';

const wrong = (what: string, wanted: string): CommandError =>
  new CommandError('unknown', `${what}: write it as ${wanted}`);

/** `alpha=10.0.1.1,beta=10.0.1.2` */
function nodesOf(text: string): Draft['nodes'] {
  const sides = text.split(',').map((side) => side.trim().split('='));
  if (sides.some((side) => side.length !== 2 || side.includes('')))
    throw wrong(`nodes "${text}"`, 'alpha=10.0.1.1,beta=10.0.1.2');
  if (new Set(sides.map(([name]) => name)).size !== sides.length)
    throw wrong(`nodes "${text}"`, 'two names that differ');
  return Object.fromEntries(sides.map(([name = '', replication = '']) => [name, { replication }]));
}

/** `/srv/nfs/home=10.0.0.0/24,10.0.1.0/24` */
function exportOf(text: string, index: number): Draft['exports'][number] {
  const [directory = '', clients = '', ...more] = text.split('=');
  if (clients === '' || more.length > 0)
    throw wrong(`export "${text}"`, '/srv/nfs/home=10.0.0.0/24,10.0.1.0/24');
  return {
    directory,
    clients: clients.split(',').map((one) => one.trim()),
    options: 'rw,sync',
    fsid: index + 1,
  };
}

/** The next device, and the directory beside. */
function stateOf({ device = firstDevice, directory = '' }: Words, disk: string): Draft['state'] {
  const next = device.replace(/(?<=^\/dev\/drbd)\d+$/, (minor) => String(Number(minor) + 1));
  return { device: next, disk, directory: `${directory}-state` };
}

/** The draft of a pair that does not exist yet. What is missing is missed when the file is read. */
export const draftFromWords = (words: Words): Draft => ({
  version: 1,
  name: 'nfs',
  nodes: nodesOf(words.nodes ?? ''),
  drbd: {
    resource: words.resource ?? 'data',
    device: words.device ?? firstDevice,
    ...(words.disk === undefined ? {} : { disk: words.disk }),
    port: 7789,
  },
  filesystem: { type: 'xfs', directory: words.directory ?? '' },
  ...(words.stateDisk === undefined ? {} : { state: stateOf(words, words.stateDisk) }),
  address: {
    ...(words.ip === undefined ? {} : { ip: words.ip }),
    ...(words.ip6 === undefined ? {} : { ip6: words.ip6 }),
  },
  nfs: {
    versions: words.nfs3 ? [4, 3] : [4],
    ...{ lease: '15s', grace: '15s' },
    ...(words.nfs3 ? { lockdGrace: '10s' } : {}),
  },
  exports: (words.export ?? []).map(exportOf),
});
