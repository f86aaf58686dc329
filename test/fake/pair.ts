import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Call } from '../../cli/command.ts';
import { answer } from '../../cli/commands/node.ts';
import type { Ending } from '../../cli/exit.ts';
import { lockFileIn } from '../../cli/facts/at-work.ts';
import { disksOf, peerFacts, resourceHere } from '../../cli/facts/side.ts';
import type { Verb } from '../../cli/facts/verbs.ts';
import { type TakeBack, takenBack } from '../../cli/interrupt.ts';
import { terminalFor } from '../../cli/output/terminal.ts';
import { hostOn } from '../../lib/host/host.ts';
import type { Command, Output } from '../../lib/host/sys/sys.ts';
import { captured } from './captured.ts';
import type { FakeMachine } from './machine.ts';

type NodeName = 'node1' | 'node2';
const other = (name: NodeName): NodeName => (name === 'node1' ? 'node2' : 'node1');

/** Where a command is to be killed: at its n-th call of another program, before that did anything, or after. */
export type Kill = {
  readonly call: number;
  readonly when: 'before' | 'after';
  /** An INT lets the command clean up, a KILL does not. */
  readonly signal: 'KILL' | 'INT';
};

type Link = { state: 'StandAlone' | 'Connecting' | 'Connected'; discards: boolean };

/**
 * Two nodes of the lab as they were captured, whose cluster and DRBD change by what commands do to them: a constraint moves the service
 * after a while, standby stops DRBD, and two connections that wait for each other meet. `ssh` runs the other node's own command.
 */
export class FakePair {
  readonly time: number;
  readonly machines: { readonly [name in NodeName]: FakeMachine };
  active: NodeName;
  constraint: string | null = null;
  #createdAt = 0;
  /** Lifetime of the standby of each node; undefined without one. */
  readonly standby = new Map<NodeName, 'reboot' | 'forever' | 'both'>();
  /** Something sets it again whenever it is taken away. */
  staysAway = false;
  readonly links: { readonly [name in NodeName]: Link };
  /** Whose changes DRBD has given up. */
  lost: NodeName | null = null;
  canSsh = true;
  /** Scores of others want the service where it was. */
  drawsBack = false;
  #home: NodeName = 'node1';
  /** The other node's tsha is of today. */
  tells = true;
  /** What it says to `hangup`: what came of it, nothing as before, or that it does not know the word. */
  hangup: 'told' | 'silent' | 'refused' = 'told';
  /** After-sb policies of the resource, by their numbers of Primaries. */
  policies: readonly string[] = ['disconnect', 'disconnect', 'disconnect'];
  /** Calls of other programs so far, of both nodes. */
  calls = 0;
  readonly lockDirs: { readonly [name in NodeName]: string };
  #kill: Kill | null = null;
  #killed: () => void = () => {};
  #cleanup: TakeBack[] = [];
  /** How the command ends that was interrupted last. */
  ending: Ending | null = null;

  constructor(state: 'healthy' | 'split') {
    const views = { node1: captured(`${state}.node1`), node2: captured(`${state}.node2`) };
    this.time = views.node1.time;
    this.machines = { node1: views.node1.machine, node2: views.node2.machine };
    this.active = state === 'healthy' ? 'node2' : 'node1';
    const isSplit = state === 'split';
    const link = (): Link => ({ state: isSplit ? 'StandAlone' : 'Connected', discards: false });
    this.links = { node1: link(), node2: link() };
    this.lockDirs = { node1: lockDirOf(), node2: lockDirOf() };
    const home = this.active;
    this.#home = home;
    const peaceful = captured('healthy.node2').machine;
    for (const name of ['node1', 'node2'] as const) this.#arm(name, home, peaceful);
  }

  #arm(name: NodeName, home: NodeName, peaceful: FakeMachine): void {
    const machine = this.machines[name];
    const [cib, mon, events] = ['cibadmin', 'crm_mon', 'drbdsetup'].map((program) =>
      machine.handler(program),
    );
    const whole = peaceful.handler('drbdsetup');
    const text = async (handler: typeof cib, args: readonly string[], command: Command) => {
      const output = await handler?.(args, command);
      return typeof output === 'string' ? output : (output?.stdout ?? '');
    };
    machine.on('cibadmin', async (args, command) => {
      if (args[0] === '--create') return this.#create(args.at(-1) ?? '');
      if (args[0] === '--delete') return this.#delete(args.at(-1) ?? '');
      return this.#seen(this.#configured(await text(cib, args, command)), home);
    });
    machine.on('crm_mon', async (args, command) => this.#seen(await text(mon, args, command), home));
    machine.on('crm_resource', () => '');
    machine.on('crm_standby', (args) => {
      const of = args[args.indexOf('--node') + 1] as NodeName;
      const lifetime = args[args.indexOf('--lifetime') + 1] as 'reboot' | 'forever';
      const now = this.standby.get(of);
      if (!args.includes('--delete')) this.standby.set(of, lifetime);
      else if (now === 'both') this.standby.set(of, lifetime === 'reboot' ? 'forever' : 'reboot');
      else if (now === lifetime && !this.staysAway) this.standby.delete(of);
      return '';
    });
    machine.on('drbdsetup', async (args, command) => {
      if (this.links[name].state !== 'Connected')
        return (await text(events, args, command)).replace('StandAlone', this.links[name].state);
      const shown = await text(whole, args, command);
      const isActive = name === this.active;
      if (this.standby.has(other(name)))
        return shown.replace('connection:Connected', 'connection:Connecting');
      return isActive
        ? shown
        : shown.replace(/role:(Primary|Secondary)/g, (_, role) =>
            role === 'Primary' ? 'role:Secondary' : 'role:Primary',
          );
    });
    machine.on('drbdadm', (args) => this.#drbdadm(name, args));
    machine.on('lvs', () => ({ code: 5, stderr: 'Failed to find device\n' }));
    machine.on('ssh', (args, command) => this.#ssh(other(name), args.at(-1) ?? '', command));
    const run = machine.run.bind(machine);
    machine.run = (command) => this.#counted(() => run(command));
  }

  /** Where the other side hung up first, DRBD 8.4 on this one knows of no split brain: it waits, or stands alone and does not know why. */
  forgetSplit(name: NodeName, state: 'StandAlone' | 'Connecting'): void {
    this.links[name].state = state;
    this.machines[name].on('dmesg', () => '');
  }

  async #counted(work: () => Promise<Output>): Promise<Output> {
    const kill = this.#kill;
    const isLast = ++this.calls === kill?.call;
    if (isLast && kill.when === 'before') return this.#die(kill);
    const output = await work();
    if (isLast) return this.#die(kill);
    return output;
  }

  /** Whoever waits for this answer never gets it. */
  async #die({ signal }: Kill): Promise<never> {
    this.#kill = null;
    if (signal === 'INT')
      this.ending = await takenBack([...this.#cleanup], (error) => {
        throw error;
      });
    this.#forgetProcesses();
    this.#killed();
    return new Promise<never>(() => {});
  }

  /** The two clocks go as their own sleepers make them. */
  #now = (): number => Math.max(this.machines.node1.clock, this.machines.node2.clock);

  #create(xml: string): Partial<Output> | string {
    if (this.constraint !== null) return { code: 76, stderr: 'Name not unique on network\n' };
    this.constraint = xml;
    this.#createdAt = this.#now();
    return '';
  }

  /** Pacemaker passes over it, and keeps it. */
  get isExpired(): boolean {
    const [, end = ''] = / end="([^"]*)"/.exec(this.constraint ?? '') ?? [];
    return end !== '' && Date.parse(end.replace(' ', 'T')) < Date.now();
  }

  #delete(path: string): string {
    const [, end = ''] = /@end="([^"]*)"/.exec(path) ?? [];
    if (end === '' || !this.constraint?.includes(`end="${end}"`)) return '';
    this.constraint = null;
    if (this.drawsBack) this.active = this.#home;
    return '';
  }

  #configured(cib: string): string {
    const constrained =
      this.constraint === null ? cib : cib.replace('<constraints>', `<constraints>${this.constraint}`);
    return [...this.standby].reduce((text, [name, lifetime]) => {
      const pair = `<nvpair id="sb-${name}" name="standby" value="on"/>`;
      const set = `<instance_attributes id="i-${name}">${pair}</instance_attributes>`;
      const lasting = text.replace(
        new RegExp(`(<node id="\\d+" uname="${name}")(/?)>`),
        (_, head: string, isWhole: string) => `${head}>${set}${isWhole === '/' ? '</node>' : ''}`,
      );
      return (lifetime === 'reboot' ? text : lasting).replace(
        new RegExp(`(<node_state [^>]*uname="${name}"[\\s\\S]*?<instance_attributes [^>]*>)`),
        lifetime === 'forever' ? '$1' : `$1${pair}`,
      );
    }, constrained);
  }

  /** Three seconds after a constraint was made the service is where that wants it. */
  #seen(text: string, home: NodeName): string {
    const wanted = /operation="eq" value="(node\d)"/.exec(this.constraint ?? '')?.[1] as NodeName | undefined;
    if (wanted && !this.isExpired && this.#now() - this.#createdAt >= 3000) this.active = wanted;
    const moved =
      this.active === home
        ? text
        : text.replace(/(<node name=")(node\d)(" id="\d" cached|" *\/>)/g, (whole, head, name, tail) =>
            tail.includes('cached') ? `${head}${other(name as NodeName)}${tail}` : whole,
          );
    return [...this.standby.keys()].reduce(
      (shown, name) =>
        shown.replace(
          new RegExp(
            `<resource id="Data"[^>]*role="Unpromoted"[^>]*>\\s*<node name="${name}"[^>]*>\\s*</resource>`,
          ),
          '<resource id="Data" resource_agent="ocf:tsha:drbd" role="Stopped" active="false" managed="true"/>',
        ),
      moved,
    );
  }

  #drbdadm(name: NodeName, args: readonly string[]): Partial<Output> | string {
    const link = this.links[name];
    const words = args.filter((word) => !/^-[cdS]$|^\/etc/.test(word));
    if (words[0] === 'sh-ll-dev') return '/dev/vdb\n';
    if (words[0] === 'dump-xml') {
      const options = this.policies.map((value, n) => `<option name="after-sb-${n}pri" value="${value}"/>`);
      return `<config file="x"><resource name="data"><section name="net">${options.join('')}</section></resource></config>\n`;
    }
    if (words[0] === 'disconnect') Object.assign(link, { state: 'StandAlone', discards: false });
    if (words[0] === 'connect') {
      if (link.state !== 'StandAlone') return { code: 10, stderr: 'Device has a net-config\n' };
      Object.assign(link, { state: 'Connecting', discards: words.includes('--discard-my-data') });
      this.#meet(name);
    }
    return '';
  }

  /** DRBD's decision when both wait: exactly one side may give up, else they part again. */
  #meet(name: NodeName): void {
    const [here, there] = [this.links[name], this.links[other(name)]];
    if (there.state !== 'Connecting') return;
    if (here.discards === there.discards) {
      for (const link of [here, there]) Object.assign(link, { state: 'StandAlone', discards: false });
      return;
    }
    this.lost = here.discards ? name : other(name);
    for (const link of [here, there]) Object.assign(link, { state: 'Connected', discards: false });
  }

  async #ssh(to: NodeName, line: string, { timeoutMs }: Command): Promise<Partial<Output>> {
    const [, verb, connection = null] = /^\/usr\/sbin\/tsha node (\w+)(?: (\S+))?/.exec(line) ?? [];
    const [, stamp = null] = / --stamp=(\S+)/.exec(line) ?? [];
    if (!this.canSsh) return { code: 255, stderr: 'Permission denied (publickey).\n' };
    if (verb === 'side') {
      const role = to === this.active ? 'Primary' : 'Secondary';
      const { host } = this.#callOn(to, timeoutMs);
      const { peers } = await resourceHere(host, connection ?? '');
      return {
        stdout: JSON.stringify({
          role,
          users: [],
          lastPrimary: null,
          disks: await disksOf(host, connection ?? ''),
          ...(this.tells ? { peers: peers.map(peerFacts) } : {}),
        }),
      };
    }
    if (verb === 'hangup' && this.hangup === 'refused') return { code: 3, stderr: 'tsha: no such verb\n' };
    const call = this.#callOn(to, timeoutMs);
    try {
      const lines = await answer(call, { verb: verb as Verb, connection, kib: null, stamp });
      const isSilent = verb === 'hangup' && this.hangup === 'silent';
      return { stdout: isSilent ? '' : lines.map((line) => `${line}\n`).join('') };
    } catch (error) {
      return { code: 2, stderr: `tsha: ${(error as Error).message}\n` };
    }
  }

  #callOn(name: NodeName, withinMs: number): Call {
    const machine = this.machines[name];
    return {
      host: hostOn(machine, machine.clock + withinMs),
      sys: Object.assign(machine, { underway: () => [], killUnderway: () => {}, shelter: () => {} }),
      terminal: terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false }),
      json: true,
      quiet: false,
      noInput: true,
      ask: null,
      onInterrupt: () => {},
      lockDir: this.lockDirs[name],
      answersNfs: async () => true,
    };
  }

  /** A call of the command on a node. */
  call(name: NodeName): Call {
    this.#cleanup = [];
    return { ...this.#callOn(name, 12 * 3_600_000), onInterrupt: (work) => void this.#cleanup.unshift(work) };
  }

  /** Runs a command until it ends, or is killed; whether it came to its end. */
  async run(
    work: Promise<unknown> | (() => Promise<unknown>),
    kill: Kill | null,
  ): Promise<'ended' | 'killed'> {
    this.calls = 0;
    this.#kill = kill;
    const killed = new Promise<'killed'>((resolve) => {
      this.#killed = () => resolve('killed');
    });
    const ended = (typeof work === 'function' ? work() : work).then(() => 'ended' as const);
    return Promise.race([ended, killed]);
  }

  /** This process plays those that were killed; what they wrote down must not look alive. */
  #forgetProcesses(): void {
    for (const dir of Object.values(this.lockDirs)) {
      const note = noteIn(dir);
      if (note !== undefined) writeFileSync(lockFileIn(dir), note.replace(/^\d+ \d+/, '4711 1'));
    }
  }

  /** The note of a command that is gone, as the node's own `status` finds it. */
  showNotes(): void {
    for (const name of ['node1', 'node2'] as const) {
      const note = noteIn(this.lockDirs[name]);
      if (note === undefined) this.machines[name].files.delete('/run/tsha/at-work');
      else this.machines[name].files.set('/run/tsha/at-work', note);
    }
  }
}

function noteIn(dir: string): string | undefined {
  const file = lockFileIn(dir);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

const lockDirOf = (): string => mkdtempSync(join(tmpdir(), 'tsha-lock-'));
