import type { Log } from '../../lib/contract/log.ts';
import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { advanceNsmState, copiesOf, retireAll } from '../../lib/host/nfs/nsm-records.ts';
import { type StatdHome, stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { label, usesLabels } from '../../lib/host/storage/selinux.ts';
import { share } from './infodir.ts';
import type { Ctx } from './params.ts';
import { mountPipefs } from './pipefs.ts';
import { releaseRoom } from './reserve.ts';
import type { Survey } from './survey.ts';

/** What the state directory was like before this start. */
export type Furnished = {
  readonly isNew: boolean;
  /**
   * Whether an NFSv3 client is on record that may claim its locks again. `unknown`: none is, but the server before was ended by
   * somebody who had them forgotten.
   */
  readonly v3Clients: 'some' | 'none' | 'unknown';
};

/** Brings the state directory to its place and makes what the daemons expect to find there. */
export async function furnish(
  ctx: Ctx,
  survey: Survey,
  home: StatdHome,
  callout: string | undefined,
): Promise<Furnished> {
  const { host, log, memory } = ctx;
  await share(ctx, survey);
  const furnished = await fill(host, log, home, survey.v3, callout !== undefined);
  await mountPipefs(host, memory, survey);
  return furnished;
}

/**
 * Makes what a fresh state directory lacks, and hands statd's part to this machine's account. Each command costs a failover some
 * hundredths of a second: none runs for what is there already.
 */
async function fill(
  host: Host,
  log: Log,
  { dir, owner, mode }: StatdHome,
  speaksV3: boolean,
  hasCallout: boolean,
): Promise<Furnished> {
  const recovery = `${stateRoot}/v4recovery`;
  const copies = copiesOf(dir);
  const lists = speaksV3 ? [`${dir}/sm`, `${dir}/sm.bak`, ...(hasCallout ? [] : [copies])] : [];
  // exportfs locks export-lock here wherever etab is: it must not have to create it in a directory that may be exported
  const files = ['etab', 'xtab', 'rmtab', 'export-lock', 'reserve'].map((file) => `${stateRoot}/${file}`);
  /** Lies there while every server that ran had statd keep the records, whoever ended it. */
  const keptByStatd = `${stateRoot}/kept-by-statd`;
  const reserve = `${stateRoot}/reserve`;
  const all = [...new Set([recovery, ...lists, copies, ...files, keptByStatd])];
  const found = await inventory(host, all);
  const missing = (paths: readonly string[]) => paths.filter((path) => !found.owners.has(path));

  const make = async (octal: string, paths: readonly string[]) =>
    paths.length > 0 && (await host.run(['mkdir', '-p', '-m', octal, '--', ...paths]));
  await make('0755', missing([recovery]));
  await make(mode.toString(8).padStart(4, '0'), missing(lists));
  const made = missing([...files, ...(hasCallout ? [keptByStatd] : [])]);
  if (made.length > 0) await host.run(['touch', '--', ...made]);
  const wasKept = found.owners.has(keptByStatd);
  if (wasKept && !hasCallout) await host.run(['rm', '-f', '--', keptByStatd]);
  const isOrderly = found.empty.has(reserve);
  if (found.owners.has(reserve) && !isOrderly) await releaseRoom(host);

  if (speaksV3) {
    // The same account may have another number on the node that made the files, and statd runs as the owner of sm.
    const wanted = `${owner.uid}:${owner.gid}`;
    const isOwn = (path: string) => (found.owners.get(path) ?? '0:0') === wanted;
    if (!lists.every(isOwn)) await host.run(['chown', '-R', '-h', '--', wanted, ...lists]);
    await advanceNsmState(host, dir, owner); // clients ignore a restart under a number that they know
    if (found.inside.has(`${dir}/sm`)) await retireAll(host, dir);
    if (found.inside.has(copies)) await retireAll(host, dir, copies);
  }
  if (await usesLabels(host)) {
    // never stateRoot with -R: the data may be below, too
    await label(host, log, ['restorecon', '--', stateRoot, ...files, ...(speaksV3 ? [`${dir}/state`] : [])]);
    await label(host, log, ['restorecon', '-R', '--', recovery, ...lists]);
  }
  const isNew = missing([recovery]).length > 0;
  const isOnRecord = [...lists, copies].some((list) => found.inside.has(list));
  const isKnown = isNew || isOrderly || wasKept;
  return { isNew, v3Clients: isOnRecord ? 'some' : isKnown ? 'none' : 'unknown' };
}

type Inventory = {
  /** Of those that are there: uid and gid as `chown` takes them. */
  readonly owners: ReadonlyMap<string, string>;
  /** The directories that hold something. */
  readonly inside: ReadonlySet<string>;
  /** The files that hold nothing. */
  readonly empty: ReadonlySet<string>;
};

/** One command for all. Names end with a zero byte: clients may have chosen some of them. */
async function inventory(host: Host, paths: readonly string[]): Promise<Inventory> {
  const print = ['-maxdepth', '1', '-printf', '%d %y%s %U:%G %H\\0'];
  const output = await host.tryRun(['find', ...paths, ...print]); // fails for those that are not there
  if (output.hung) throw new Failure('failed', `${stateRoot} does not answer: ${output.hung}`);
  const owners = new Map<string, string>();
  const inside = new Set<string>();
  const empty = new Set<string>();
  for (const entry of output.stdout.split('\0')) {
    const [, depth, facts, owner = '', path = ''] = /^(\d) (\w\d+) (\d+:\d+) (.*)$/s.exec(entry) ?? [];
    if (depth === '0') owners.set(path, owner);
    if (depth === '1') inside.add(path);
    if (depth === '0' && facts === 'f0') empty.add(path);
  }
  return { owners, inside, empty };
}
