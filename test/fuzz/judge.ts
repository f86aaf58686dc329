import { rawParams, readParams } from '../../lib/contract/params.ts';
import { readRequest } from '../../lib/contract/request.ts';
import { textOf } from '../../lib/host/sys/bytes.ts';
import type { Call, Case } from './case.ts';
import { fileIn } from './world.ts';

// What must hold after any call, whatever it was given: its exit code is one of OCF's that this action may have; a failure has one
// reason; it ends in time; nothing outside of what it manages has changed, and nothing is left behind.

export type Fault = {
  readonly call: number;
  readonly what: string;
  /** By the clock alone: a busy machine may be the reason. */
  readonly late?: true;
};

type Ended = {
  readonly code: number;
  readonly ms: number;
  /** Processes that are left, `pid (name)`. */
  readonly left: readonly string[];
};

/** Of a run whose files lie in a directory. */
export function judge(one: Case, dir: string): readonly Fault[] {
  const codes = fileIn(dir, 'codes').toString().split('\n');
  const faults: Fault[] = [];
  const earlier = new Set<string>();
  for (const [index, call] of one.calls.entries()) {
    const at = index + 1;
    const ended = endOf(codes, at);
    if (!ended)
      return [...faults, { call: at, what: `did not end: ${fileIn(dir, 'sandbox').toString().slice(-300)}` }];
    const say = (what: string) => void faults.push({ call: at, what });
    judgeCode(one, call, ended, say);
    judgeWords(call, ended, dir, at, say);
    if (isLate(call, ended))
      faults.push({ call: at, what: `took ${ended.ms.toFixed(0)} ms of ${call.timeoutMs}`, late: true });
    judgeMachine(one, call, ended, dir, at, say);
    judgeLeft(
      one,
      call,
      ended.left.filter((process) => !earlier.has(process)),
      say,
    );
    for (const process of ended.left) earlier.add(process);
  }
  judgeLife(one, codes, dir, faults);
  return faults;
}

type Say = (what: string) => void;

/** `2 0 5000.21 5000.33 17 (send_arp)`: call, exit code, uptime before and after, what is left. */
function endOf(lines: readonly string[], at: number): Ended | undefined {
  const line = lines.find((text) => text.startsWith(`${at} `));
  const [, code, began, up, left = ''] = /^\d+ (\d+) (\S+) (\S+)(.*)$/.exec(line ?? '') ?? [];
  if (code === undefined) return undefined;
  const ms = (Number(up) - Number(began)) * 1000;
  return { code: Number(code), ms, left: left.match(/\d+ \([^)]*\)/g) ?? [] };
}

const variablesOf = (call: Call): NodeJS.ProcessEnv =>
  Object.fromEntries([...call.env].map(([name, value]) => [name, textOf(value)]));

const requestOf = (call: Call) => readRequest(call.action, variablesOf(call));
const isTalk = (action: string): boolean => ['usage', 'help', 'meta-data'].includes(action);

/** Codes of any monitor of a resource with roles. */
const promotable = [8, 9, 190, 191];

function allowed({ agent }: Case, call: Call): readonly number[] {
  const { action } = call;
  const env = variablesOf(call);
  if (isTalk(action)) return call.stdout === 'kept' ? [0] : [0, 1];
  if (!Object.hasOwn(agent.actions, action) && action !== 'status') return [3];
  const major = env['OCF_RA_VERSION_MAJOR'];
  if (major && major !== '1') return [1];
  if (major && !env['OCF_RESOURCE_INSTANCE']) return [2];
  const request = requestOf(call);
  const roles = agent.actions.promote ? promotable : [];
  switch (action) {
    case 'stop':
      return [0, 1];
    case 'notify':
      return [0];
    case 'monitor':
    case 'status': {
      if (request.probe) return [0, 1, 7, ...roles];
      const { missing } = readParams(agent.params, rawParams(agent.params, env));
      return missing.length > 0 ? [6] : [0, 1, 5, 7, ...roles];
    }
    case 'demote':
      return [0, 1, 2, 5, 6, 7, ...roles];
    default:
      return [0, 1, 2, 5, 6];
  }
}

function judgeCode(one: Case, call: Call, { code }: Ended, say: Say): void {
  const codes = allowed(one, call);
  const orFailed = call.limits.length > 0 && call.action !== 'meta-data' ? [1] : [];
  // SIGXFSZ: what it says goes to a file here, which the limit is for; Pacemaker reads a pipe
  const orTooLong = call.limits.some((limit) => limit.startsWith('fsize')) ? [153] : [];
  if (![...codes, ...orFailed, ...orTooLong].includes(code))
    say(`exit code ${code}, not one of ${codes.join(', ')}`);
}

const prefix = 'ocf-exit-reason:';

const reasonsIn = (dir: string, at: number): readonly string[] =>
  fileIn(dir, `2.${at}`)
    .toString('latin1')
    .split('\n')
    .filter((line) => line.startsWith(prefix));

function judgeWords(call: Call, { code }: Ended, dir: string, at: number, say: Say): void {
  const out = fileIn(dir, `1.${at}`);
  if (call.stdout === 'kept' && !isTalk(call.action) && out.length > 0)
    say(`stdout: ${out.toString().slice(0, 200)}`);
  // what is longer than the limit of a file cannot be written to this one
  if (
    call.action === 'meta-data' ||
    call.stderr !== 'kept' ||
    call.limits.some((limit) => limit.startsWith('fsize'))
  )
    return;
  const reasons = reasonsIn(dir, at);
  const request = requestOf(call);
  const isSilent = code === 7 && request.probe && request.byPacemaker;
  const expected = code === 0 || code === 8 || isSilent ? 0 : 1;
  if (reasons.length !== expected)
    say(`exit code ${code} with ${reasons.length} reasons: ${reasons.join(' | ')}`);
  for (const reason of reasons) {
    if (reason.length - prefix.length > 128) say(`a reason of ${reason.length - prefix.length} bytes`);
    if (reason === prefix) say('an empty reason');
  }
}

/** The clock counts hundredths, and other runs want the processor, too. */
const slackMs = 1500;

const isLate = ({ timeoutMs }: Call, { ms }: Ended): boolean => ms > timeoutMs + slackMs;

type Entry = { readonly kind: string; readonly size: string; readonly changed: string };

function filesOf(dir: string, at: number): ReadonlyMap<string, Entry> {
  const entries = fileIn(dir, `files.${at}`).toString('latin1').split('\0').filter(Boolean);
  return new Map(
    entries.map((entry) => {
      const [path = '', kind = '', size = '', changed = ''] = entry.split('\t');
      // a directory's size and date are those of what is in it
      return [path, kind === 'd' ? { kind, size: '', changed: '' } : { kind, size, changed }];
    }),
  );
}

/** Mounts by place, type and source, and addresses; the numbers of both change. */
function kernelOf(dir: string, at: number): readonly string[] {
  // those of the machine outside come and go without us
  const host = new Set(
    fileIn(dir, 'mounts.host')
      .toString('latin1')
      .match(/^\d+ \d+ /gm),
  );
  return fileIn(dir, `kernel.${at}`)
    .toString('latin1')
    .split('\n')
    .flatMap((line) => {
      if (host.has(/^\d+ \d+ /.exec(line)?.[0] ?? '')) return [];
      const mount = /^\d+ \d+ \S+ \S+ (\S+) .* - (\S+) (\S+)/.exec(line);
      if (mount) return [`mount ${mount.slice(1).join(' ')}`];
      const ipv6 = /^([0-9a-f]{32}) (\w+) (\w+) \w+ \w+ +(\S+)$/.exec(line);
      // the kernel's own link-local ones come when it has looked for others
      if (ipv6) return line.startsWith('fe80') ? [] : [`address ${ipv6[1]} ${ipv6[4]}`];
      return /^ +\|-- |^ +\/\d+ (host|link)/.test(line) ? [`address ${line.trim()}`] : [];
    });
}

/** What begins something may leave it there; whatever else may only look, or end it. */
const begins: ReadonlySet<string> = new Set(['start', 'promote', 'reload', 'reload-agent']);

function judgeMachine(one: Case, call: Call, ended: Ended, dir: string, at: number, say: Say): void {
  const [before, after] = [filesOf(dir, at - 1), filesOf(dir, at)];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(path), after.get(path)];
    const isCanary = path.startsWith('/tmp/canary');
    const isSame =
      was?.kind === is?.kind && was?.size === is?.size && (!isCanary || was?.changed === is?.changed);
    if (/\.tsha-\d+$/.test(path) && is && !was) say(`a draft is left: ${path}`);
    if (isSame) continue;
    if (isCanary || !mayChange(one, call, path)) say(`${path} was ${shown(was)} and is ${shown(is)}`);
  }
  const [kernelBefore, kernelAfter] = [kernelOf(dir, at - 1), kernelOf(dir, at)];
  if (!begins.has(call.action)) {
    const added = kernelAfter.filter((line) => !kernelBefore.includes(line));
    const gone = kernelBefore.filter((line) => !kernelAfter.includes(line));
    if (added.length > 0) say(`appeared: ${added.join(', ')}`);
    if (gone.length > 0 && call.action !== 'stop') say(`vanished: ${gone.join(', ')}`);
  }
  if (call.action === 'stop' && ended.code === 0) {
    const first = kernelOf(dir, 0);
    const left = kernelAfter.filter((line) => !first.includes(line));
    if (left.length > 0 && one.calm) say(`left after a stop: ${left.join(', ')}`);
  }
}

/** Processes that this call has left. A logger that never ends is given a minute. */
function judgeLeft({ agent, world }: Case, { action }: Call, left: readonly string[], say: Say): void {
  if (begins.has(action) || (agent.name === 'IPaddr2' && action !== 'stop')) return;
  const hasSlowLogger = ['hang', 'flood'].includes(world.tools.get('logger') ?? '');
  const others = left.filter((process) => !(hasSlowLogger && /\((?:logger|timeout|sleep)\)$/.test(process)));
  if (others.length > 0) say(`processes are left: ${others.join(', ')}`);
}

const shown = (entry: Entry | undefined): string =>
  entry ? `${entry.kind} of ${entry.size} bytes` : 'not there';

/** Where an agent writes: its memory, what its parameters name, and what its documentation names. */
function mayChange({ agent }: Case, call: Call, path: string): boolean {
  const value = (name: string): string => call.env.get(name)?.toString('latin1') ?? '';
  const instance = value('OCF_RESOURCE_INSTANCE') || 'default';
  const memory = value('HA_RSCTMP') || '/run/resource-agents';
  const own = [
    memory,
    `${memory}/tsha`,
    ...(agent.name === 'exportfs' && !instance.includes('/') ? [`${memory}/${instance}`] : []),
  ];
  if (own.includes(path) || path.startsWith('/tmp/trace') || path.startsWith('/tmp/log/')) return true;
  const page = path.slice(memory.length + '/tsha/'.length);
  if (path.startsWith(`${memory}/tsha/`) && !page.includes('/'))
    return page.startsWith(`${agent.name}-`) || /^(started|waiting|send_arp)-/.test(page);
  if (['nfsserver', 'exportfs', 'nfsnotify'].includes(agent.name) && path.startsWith('/var/lib/nfs'))
    return true;
  // as the stock agent: Pacemaker ends before the network's filesystems
  if (agent.name === 'Filesystem' && path.startsWith('/run/systemd/system/resource-agents-deps.target.d'))
    return true;
  // Debian's nfs.conf has its pipefs-directory in /run
  if (agent.name === 'nfsserver' && /^\/run\/(tsha-nfs|sm-notify\.pid|systemd|rpc_pipefs)(\/|$)/.test(path))
    return true;
  // what a monitor at depth 20 writes into a bind mount shows where that comes from
  if (agent.name === 'Filesystem' && value('OCF_CHECK_LEVEL') === '20') {
    const status = value('OCF_RESKEY_statusfile_prefix') || '.Filesystem_status/';
    if (`${path}/`.startsWith(`${value('OCF_RESKEY_device')}/${status}`)) return true;
  }
  const named = ['directory', 'nfs_shared_infodir', 'rpcpipefs_dir'].flatMap((name) =>
    value(`OCF_RESKEY_${name}`).split(agent.name === 'exportfs' ? /\s+/ : /$^/),
  );
  // a mount point is made with its parents
  return named
    .map((place) => place.trim())
    .filter((place) => place.startsWith('/') && place !== '/')
    .some((place) => path.startsWith(place) || place.replace(/\/+/g, '/').startsWith(`${path}/`));
}

/** On a calm machine the actions of a life agree with each other. */
function judgeLife(
  { agent, calm, calls }: Case,
  codes: readonly string[],
  dir: string,
  faults: Fault[],
): void {
  if (!calm) return;
  let running: boolean | undefined;
  for (const [index, { action }] of calls.entries()) {
    const code = endOf(codes, index + 1)?.code;
    // whose time was over by his own word may have waited for the processor
    const reason = reasonsIn(dir, index + 1)[0]?.slice(prefix.length) ?? '';
    const isTimeOver = reason.includes(' did not end within ');
    const say = (what: string) =>
      void faults.push({ call: index + 1, what, ...(isTimeOver && { late: true as const }) });
    if (action === 'start') running = code === 0 ? true : undefined;
    if (action === 'stop') {
      if (code !== 0) say(`a stop that failed where nothing is in its way: ${reason}`);
      running = false;
    }
    // there is no NFS server here: what is exported is not served
    const isUp = code === 0 || code === 8 || (code ?? 0) >= 190 || (agent.name === 'exportfs' && code === 1);
    if (action === 'monitor' && running === true && !isUp) say(`started, and the next monitor says ${code}`);
    if (action === 'monitor' && running === false && isUp) say(`stopped, and the next monitor says ${code}`);
  }
}
