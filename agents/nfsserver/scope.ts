import type { Log } from '../../lib/contract/log.ts';
import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import { commandLine, firstLine, type Host } from '../../lib/host/host.ts';
import { isThere, readIfThere } from '../../lib/host/local-files.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import { isInForce, type Unit, unitsOf } from '../../lib/host/systemd.ts';
import { dropInText, formerNames, ourName, readAfter, type UnitFile } from './drop-in.ts';
import { keepText, keptText } from './kept.ts';
import type { Ctx } from './params.ts';
import type { Starter, Survey } from './survey.ts';
import { validScope } from './wanted.ts';

// NFSv4.1 clients compare the server scope after a failover. A Linux client that sees another one does not reclaim: it gives its
// locks up and every process that holds one gets EIO. The kernel's default is the node's name, which differs on every node.

const dropInDir = (server: string) => `/run/systemd/system/${server}.d`;
const dropInOf = (server: string) => `${dropInDir(server)}/${ourName}`;
const formerOnesOf = (server: string) => formerNames.map((name) => `${dropInDir(server)}/${name}`);
const scopeFile = 'server-scope';

/**
 * The scope as nfsd is told it. `conf`: in nfs.conf, since nfs-utils 2.6.3. `node`: as the name of the node that nfsd sees, before
 * that; for systemd a drop-in of the server's unit sets it. Neither where nfs-utils has it from the administrator's nfs.conf, or from nobody.
 */
export type Scope = { readonly conf?: string; readonly node?: string };

export async function settleScope(
  ctx: Ctx,
  survey: Survey,
  { isKnown, starter, server }: ScopeFacts,
): Promise<Scope> {
  const { host, log } = ctx;
  const scope = await chooseScope(ctx, survey, isKnown);
  if (scope !== undefined) log.info(`server scope is ${scope}`);
  else if (!isKnown || configured(survey) === undefined)
    log.warn('no nfs_server_scope is set: NFSv4.1 clients lose their locks in a failover to another node');
  const node = isKnown ? undefined : scope;
  if (starter.by === 'systemd') await keepDropIn(host, starter.server, server, node !== undefined);
  if (scope === undefined) return {};
  return node === undefined ? { conf: scope } : { node };
}

/** Whether nfs-utils takes a scope from nfs.conf; where it does not, what systemd has read of the server's unit. */
export type ScopeFacts = {
  readonly isKnown: boolean;
  readonly starter: Starter;
  readonly server: Unit | undefined;
};

/** Independent of the state directory, which can be made ready meanwhile. */
export async function scopeFacts(host: Host, log: Log, starter: Starter): Promise<ScopeFacts> {
  const isKnown = await knowsScope(host, log);
  const asks = !isKnown && starter.by === 'systemd';
  return { isKnown, starter, server: asks ? (await unitsOf(host, [starter.server]))[0] : undefined };
}

const configured = ({ conf }: Survey): string | undefined => conf.get('nfsd', 'scope');

/**
 * The parameter, else the admin's nfs.conf, else a name of its own that moves with the state directory. `undefined`: nfs-utils has it from
 * nfs.conf, or there is none.
 */
async function chooseScope(ctx: Ctx, survey: Survey, isKnown: boolean): Promise<string | undefined> {
  const { params, host, log } = ctx;
  if (params.nfs_server_scope) return params.nfs_server_scope;
  const admins = configured(survey);
  if (admins !== undefined && isKnown) return undefined;
  if (admins !== undefined && validScope.test(admins)) return admins;
  if (admins !== undefined)
    log.warn(
      `the scope "${admins}" of nfs.conf cannot be set: this nfs-utils does not know it, and it is no name`,
    );
  const moves = survey.infodir !== undefined || mountOn(await mounts(host), stateRoot) !== undefined;
  if (!moves) return undefined;
  const kept = await keptText(host, log, scopeFile, 1024);
  if (kept !== undefined && validScope.test(kept)) return kept;
  const { randomBytes } = await import('node:crypto');
  const made = `tsha-${randomBytes(8).toString('hex')}`;
  try {
    await keepText(host, scopeFile, made);
  } catch (error) {
    log.warn(`no server scope can be kept for all nodes: ${wordsOf(error)}`); // better the node's name than one nobody knows again
    return undefined;
  }
  log.info(`no nfs_server_scope is set: ${made} is kept in ${stateRoot}/${scopeFile} for all nodes`);
  return made;
}

/**
 * Since nfs-utils 2.6.3. The usage text does not tell; an unknown option does, before anything else is done. Where the answer is no
 * answer, the drop-in is right: it works with all of them.
 */
async function knowsScope(host: Host, log: Log): Promise<boolean> {
  if (await host.sys.has('nfsdctl')) return true; // came with 2.8
  const argv = ['rpc.nfsd', '--scope=x', '--help'] as const;
  const output = await host.tryRun(argv, { timeoutMs: 5000 });
  const text = output.stdout + output.stderr;
  const isAnswer = /^usage:/im.test(text);
  if (!isAnswer)
    log.warn(
      `${commandLine(argv)} did not answer: ${output.hung ?? `exit ${output.code}, "${firstLine(text)}"`}`,
    );
  return isAnswer && !/unrecognized option/.test(text);
}

/**
 * Has systemd read the drop-in where the first start on this node would have to wait for it. Not in place of a former one: its server may
 * run.
 */
export async function prepareDropIn(
  host: Host,
  log: Log,
  scope: string | undefined,
  survey: Survey,
): Promise<void> {
  const { manager, infodir } = survey;
  if (manager.by !== 'systemd' || manager.server === undefined) return;
  if (!scope && infodir === undefined && configured(survey) === undefined) return;
  for (const file of [dropInOf(manager.server), ...formerOnesOf(manager.server)])
    if (await isThere(host, file)) return;
  const { isKnown, server } = await scopeFacts(host, log, manager);
  if (!isKnown) await keepDropIn(host, manager.server, server, true);
}

/**
 * systemd finds a new drop-in only when it reads everything again, which costs seconds: so only when something changed, or when
 * what lies there is not in force. Without the scope all NFSv4.1 locks would be lost at the next failover, silently.
 */
async function keepDropIn(
  host: Host,
  name: string,
  server: Unit | undefined,
  isWanted: boolean,
): Promise<void> {
  const dropIn = dropInOf(name);
  if (isWanted && !server)
    throw new Failure('failed', `systemd tells nothing about ${name}: the server scope cannot be set`);
  const text = isWanted && server ? dropInText(await unitFiles(host, server)) : undefined;
  let isNew = (await readIfThere(host, dropIn)) !== text;
  for (const former of formerOnesOf(name)) {
    if (!(await isThere(host, former))) continue;
    isNew = true;
    await host.sys.remove(former);
  }
  let read = server;
  if (isNew || (text !== undefined && server && !isInForce(server, dropIn))) {
    if (text === undefined) await host.sys.remove(dropIn);
    else {
      await host.sys.makeDir(dropInDir(name));
      await host.sys.write(dropIn, text);
    }
    await host.run(['systemctl', 'daemon-reload']);
    if (text !== undefined) [read] = await unitsOf(host, [name]);
  }
  if (text === undefined) return;
  if (!read || !isInForce(read, dropIn))
    throw new Failure('failed', `systemd does not read ${dropIn}: the server scope cannot be set`);
  const later = readAfter(await unitFiles(host, read), dropIn);
  if (later !== undefined)
    throw new Failure(
      'failed',
      `${later} has an ExecStart and is read after ${dropIn}: the server scope cannot be set`,
    );
}

const unitFiles = (host: Host, { files }: Unit): Promise<readonly UnitFile[]> =>
  Promise.all(files.map(async (path) => ({ path, text: (await readIfThere(host, path)) ?? '' })));
