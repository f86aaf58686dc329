import type { Connection, Device, PeerDevice, Resource } from '../../lib/host/drbd/state.ts';
import { diskOf, linkOf, pausesOf, type Role, replicationOf, roleOf } from '../../lib/host/drbd/words.ts';
import type { Command, Output } from '../../lib/host/sys/sys.ts';
import { FakeMachine, withBlockNodes } from './machine.ts';

const env = (extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  OCF_RESOURCE_INSTANCE: 'p_drbd',
  OCF_RESKEY_drbd_resource: 'r0',
  OCF_RESKEY_crm_feature_set: '3.16.2',
  OCF_RESKEY_CRM_meta_interval: '10000',
  OCF_RESKEY_CRM_meta_timeout: '20000',
  OCF_RESKEY_CRM_meta_on_node: 'me',
  OCF_RESKEY_CRM_meta_clone: '0',
  OCF_RESKEY_CRM_meta_clone_max: '2',
  OCF_RESKEY_CRM_meta_notify: 'true',
  ...extra,
});

/** A volume in short: `UpToDate`, `Diskless client`, `UpToDate noquorum`, in 8.4 `UpToDate Secondary` for its own role. */
export const volumes = (...texts: readonly string[]): readonly Device[] =>
  texts.map((text, volume) => {
    const [disk = '', ...words] = text.split(' ');
    const role = words.find((word) => word === 'Primary' || word === 'Secondary');
    return {
      volume,
      minor: volume,
      disk: diskOf(disk),
      client: words.includes('client'),
      quorum: !words.includes('noquorum'),
      ...(role && { role }),
    };
  });

/**
 * A peer in short: `beta Connected Primary UpToDate UpToDate`, a disk per volume; `Diskless+client` is one without on purpose,
 * `Inconsistent+SyncSource:42.5` one that we are 42.5 % into synchronizing, `Inconsistent+SyncSource:42.5:user` and a user suspended it.
 */
function peer(text: string): Connection {
  const [name = '', state = '', role = '', ...disks] = text.split(' ');
  const normally = state === 'Connected' ? 'Established' : 'Off';
  return {
    peer: name,
    state: linkOf(state),
    role: roleOf(role) ?? 'Unknown',
    devices: disks.map((word, volume): PeerDevice => {
      const [disk = '', more = ''] = word.split('+');
      const [replication = '', done, paused] = more === 'client' ? [] : more.split(':');
      return {
        volume,
        replication: replicationOf(replication || normally),
        disk: diskOf(disk),
        client: more === 'client',
        ...(done && { done: Number(done) }),
        ...(paused && { paused: pausesOf(paused) }),
      };
    }),
  };
}

export const resource = (
  role: Role,
  devices: readonly Device[],
  peers: readonly string[] = [],
  more: Partial<Resource> = {},
): Resource => ({
  name: 'r0',
  role,
  suspended: [],
  forceIoFailures: false,
  devices,
  connections: peers.map(peer),
  ...more,
});

const yesNo = (value: boolean) => (value ? 'yes' : 'no');

/** As `drbdsetup events2 --now` prints it, in the order of either generation. */
function renderEvents2(state: Resource | undefined, generation: 8 | 9): string {
  const modern = generation === 9;
  if (!state) return 'exists -\n';
  const { name, role, suspended, forceIoFailures, devices, connections } = state;
  return [
    `exists resource name:${name} role:${role} suspended:${suspended.join(',') || 'no'}${modern ? ` force-io-failures:${yesNo(forceIoFailures)} may_promote:no promotion_score:1` : ''}`,
    ...connections.map(
      (one, id) =>
        `exists connection name:${name} peer-node-id:${id} conn-name:${one.peer} connection:${one.state} role:${one.role}`,
    ),
    ...devices.map(
      ({ volume, minor, disk, client, quorum }) =>
        `exists device name:${name} volume:${volume} minor:${minor} disk:${disk}${modern ? ` client:${yesNo(client)} quorum:${yesNo(quorum)}` : ''}`,
    ),
    ...connections.flatMap((one, id) =>
      one.devices.map(
        ({ volume, replication, disk, client, done, paused }) =>
          `exists peer-device name:${name} peer-node-id:${id} conn-name:${one.peer} volume:${volume} replication:${replication} peer-disk:${disk}${modern ? ` peer-client:${yesNo(client)}` : ''} resync-suspended:${paused?.join(',') ?? 'no'}${modern && done !== undefined ? ` done:${done}` : ''}`,
      ),
    ),
    'exists -',
    '',
  ].join('\n');
}

/** /proc/drbd; that of DRBD 9 lists no devices. */
function renderProc(state: Resource | undefined, generation: 8 | 9, version: string): string {
  if (generation === 9)
    return `version: ${version} (api:2/proto:86-122)\nTransports (api:20): tcp (${version})\n`;
  const head = 'version: 8.4.11 (api:1/proto:86-101)\nsrcversion: E0E163D10B8D416204F3D48 \n\n';
  const [connection] = state?.connections ?? [];
  const cstate = (index: number): string => {
    const { state: word = 'StandAlone', devices = [] } = connection ?? {};
    const replication = devices[index]?.replication ?? 'Off';
    if (word === 'Connecting') return 'WFConnection';
    return /^(?:Off|Established)$/.test(replication) ? word : replication;
  };
  const lines = (state?.devices ?? []).map(
    ({ minor, disk, role }, index) =>
      `${String(minor).padStart(2)}: cs:${cstate(index)} ro:${role ?? state?.role}/${connection?.role ?? 'Unknown'} ds:${disk}/${connection?.devices[index]?.disk ?? 'DUnknown'} C ${state?.suspended.length ? 's' : 'r'}-----\n`,
  );
  return head + lines.join('');
}

type Answer = Partial<Output> | string | undefined;

/**
 * A node with DRBD: a kernel that knows at most the resource r0, the tools that change it, and the cluster's tools. What a
 * command answers can be overridden by its first words, e.g. `drbd.answer('drbdadm primary', { code: 17 })`.
 */
export class FakeDrbd {
  readonly machine: FakeMachine;
  readonly generation: 8 | 9;
  private readonly version: string;
  private kernel: Resource | undefined;
  /** What the resource becomes when it is created, attached and connected. */
  readonly configured: Resource;
  promotedNodes: readonly string[] = [];
  /** Node attributes as the cluster holds them; the promotion score is one of them. */
  readonly attributes = new Map<string, string>();
  /** The options of the resource in the configuration, as `drbdadm -d dump-xml` prints them. */
  options = '';
  private readonly overrides: (readonly [string, (times: number) => Answer])[] = [];
  private readonly times = new Map<string, number>();
  private readonly timed = new Map<string, (command: Command) => Answer>();

  constructor(given: {
    readonly env?: NodeJS.ProcessEnv;
    readonly generation?: 8 | 9;
    /** Of the kernel module, of DRBD 9. */
    readonly version?: string;
    readonly state?: Resource;
    readonly configured?: Resource;
    readonly module?: boolean;
    readonly nodes?: boolean;
  }) {
    this.machine = new FakeMachine(env(given.env));
    this.generation = given.generation ?? 9;
    this.version = given.version ?? '9.2.9';
    this.configured =
      given.configured ?? resource('Secondary', volumes('UpToDate'), ['beta Connected Secondary UpToDate']);
    this.kernel = given.state;
    const { files } = this.machine;
    files.set('/proc/uptime', '5000.00 9000.00\n');
    files.set('/proc/sys/kernel/hostname', 'me.example\n');
    files.set('/etc/drbd.conf', '');
    if (given.module !== false) this.load();
    const minors = given.nodes === false ? [] : this.configured.devices.map(({ minor }) => minor);
    withBlockNodes(this.machine, Object.fromEntries(minors.map((one) => [`/dev/drbd${one}`, `147:${one}`])));
    this.machine
      .on(
        'drbdsetup',
        (args, command) =>
          this.overridden(`drbdsetup ${args.join(' ')}`) ??
          this.timed.get(args[0] ?? '')?.(command) ??
          this.drbdsetup(args),
      )
      .on('drbdadm', (args) => this.overridden(`drbdadm ${this.words(args).join(' ')}`) ?? this.drbdadm(args))
      .on('modprobe', () => this.overridden('modprobe') ?? this.load())
      .on('modinfo', () => this.overridden('modinfo') ?? `${this.generation === 9 ? '9.2.9' : '8.4.11'}\n`)
      .on(
        'crm_attribute',
        ([, ...words]) =>
          this.overridden('crm_attribute') ??
          (words.includes('--query') ? this.configuredScore() : this.write('promotion score', words)),
      )
      .on(
        'attrd_updater',
        ([option, name = '', ...words]) =>
          this.overridden('attrd_updater') ??
          (option === '--refresh' ? this.writeAnew() : this.write(name, words)),
      )
      .on('cibadmin', () => this.overridden('cibadmin') ?? '<constraints/>')
      .on('crm_node', () => this.overridden('crm_node') ?? '1 me member\n2 beta member\n')
      .on('dmesg', () => this.overridden('dmesg') ?? '')
      .on('crm_resource', () => this.overridden('crm_resource') ?? this.located());
  }

  /** What is in the kernel. */
  get state(): Resource | undefined {
    return this.kernel;
  }

  /** Something happened to it; who follows the events hears of it. */
  set state(state: Resource | undefined) {
    this.kernel = state;
    this.refresh();
    this.machine.events.push('change resource name:r0 role:Secondary\n');
  }

  /** The node attribute: its value, `-` deleted, `=` untouched. */
  get attribute(): string {
    const last = this.machine.ran.filter((line) => line.startsWith('attrd_updater ')).at(-1);
    return last === undefined ? '=' : (/-U (.*)$/.exec(last)?.[1] ?? '-');
  }

  /** Pacemaker has taken this node's attributes out of the configuration; its attribute manager does not know. */
  isScoreLost = false;

  private configuredScore(): Answer {
    const score = this.isScoreLost ? undefined : this.attributes.get('promotion score');
    return score === undefined ? { code: 105 } : `${score}\n`;
  }

  private writeAnew(): Answer {
    this.isScoreLost = false;
    return '';
  }

  private write(name: string, words: readonly string[]): Answer {
    if (words.includes('-D')) this.attributes.delete(name);
    else this.attributes.set(name, words.at(-1) ?? '');
    return '';
  }

  /** From now on a command that begins like this answers so, before what was said earlier; a function gets how often it was called before. */
  answer(beginning: string, answer: Answer | ((times: number) => Answer)): this {
    this.overrides.unshift([beginning, typeof answer === 'function' ? answer : () => answer]);
    return this;
  }

  /** What a command of drbdsetup's answers that takes its time. */
  onDrbdsetup(word: string, answer: (command: Command) => Answer): this {
    this.timed.set(word, answer);
    return this;
  }

  /** The promotion score: `10000`, `-` deleted, `=` untouched. */
  get score(): string {
    const last = this.machine.ran
      .filter((line) => line.startsWith('crm_attribute ') && !line.includes('--query'))
      .at(-1);
    if (last === undefined) return '=';
    return last.endsWith('-D') ? '-' : (last.split(' ').at(-1) ?? '?');
  }

  /** What was done to DRBD, without looking and without the configuration's name. */
  get did(): readonly string[] {
    return this.machine.ran
      .filter((line) => /^(drbdadm|drbdsetup|modprobe)/.test(line))
      .map((line) => line.replace(' -c /etc/drbd.conf', ''))
      .filter((line) => !/events2|sh-dev|--version|status|sh-mod-parms|modinfo|dump-xml/.test(line));
  }

  private load(): Answer {
    this.machine.files.set('/proc/drbd', '');
    this.refresh();
    return '';
  }

  private refresh(): void {
    if (this.machine.files.has('/proc/drbd'))
      this.machine.files.set('/proc/drbd', renderProc(this.state, this.generation, this.version));
  }

  private become(state: Resource | undefined): Answer {
    this.state = state;
    this.refresh();
    return '';
  }

  private overridden(line: string): Answer {
    for (const [beginning, answer] of this.overrides) {
      if (!line.startsWith(beginning)) continue;
      const times = this.times.get(beginning) ?? 0;
      this.times.set(beginning, times + 1);
      return answer(times);
    }
    return undefined;
  }

  /** Without `-c FILE`, `-S`, `-d`, `-v`, `--peer NAME`. */
  private words(args: readonly string[]): readonly string[] {
    return args.filter((word, index) => {
      const before = args[index - 1] ?? '';
      return !/^(-c|-S|-d|-v|--peer)$/.test(word) && !/^(-c|--peer)$/.test(before);
    });
  }

  private drbdadm(args: readonly string[]): Answer {
    const [command = '', ...rest] = this.words(args);
    if (command === 'dump-xml') return this.dumped();
    if (args.includes('-d')) return `drbdsetup connect r0 1\n`;
    switch (command) {
      case '--version':
        return 'DRBD_KERNEL_VERSION_CODE=0x000000\n';
      case 'sh-dev':
        return rest[0] === 'r0'
          ? this.configured.devices.map(({ minor }) => `/dev/drbd${minor}\n`).join('')
          : { code: 1, stderr: `'${rest[0]}' not defined in your config (for this host).\n` };
      case 'sh-mod-parms':
        return 'minor_count=32\n';
      case 'new-resource':
        return this.become({ ...this.configured, devices: [], connections: [] });
      case 'new-minor':
        return this.become({
          ...this.configured,
          devices: this.configured.devices.map((device) => ({ ...device, disk: 'Diskless' })),
          connections: [],
        });
      case 'attach':
        return this.become({ ...this.configured, connections: this.state?.connections ?? [] });
      case 'adjust':
        if (rest[0] === '--skip-net')
          return this.become({ ...this.configured, connections: this.state?.connections ?? [] });
        return this.become({ ...this.configured, role: this.state?.role ?? 'Secondary' });
      default:
        return this.drbdsetup([command, ...rest]);
    }
  }

  private drbdsetup(args: readonly string[]): Answer {
    switch (args[0]) {
      case 'events2':
        return renderEvents2(this.state, this.generation);
      case 'status':
      case 'sh-status':
        return { code: 20, stderr: `${args[0]}: no answer\n` };
      case 'primary':
        return this.state ? this.become({ ...this.state, role: 'Primary' }) : { code: 10 };
      case 'secondary':
        return this.state ? this.become({ ...this.state, role: 'Secondary' }) : { code: 10 };
      case 'down':
        if (this.state?.role === 'Primary')
          return { code: 11, stderr: 'State change failed: (-12) Device is held open by someone\n' };
        return this.become(undefined);
      default:
        return '';
    }
  }

  private dumped(): string {
    const hosts = ['me', 'beta'].map((name) => `<host name="${name}"><volume vnr="0"/></host>`).join('');
    return `<resource name="r0">${hosts}${this.options}</resource>`;
  }

  private located(): Answer {
    const nodes = this.promotedNodes.map((node) => `<node state="promoted">${node}</node>`).join('');
    return `<pacemaker-result><resources><resource>${nodes}<node>me</node></resource></resources></pacemaker-result>`;
  }
}
