import { hostOn } from '../../lib/host/host.ts';
import { nfsConf } from '../../lib/host/nfs/conf.ts';
import { isWithin } from '../../lib/host/storage/mounts.ts';
import type { Kind } from '../../lib/host/sys/directory.ts';
import { FakeMachine, hangs, kernelThreadOf, usersOf } from './machine.ts';
import { defineFileTools, no } from './nfs-machine-files.ts';
import { kernelNumbers, pulledIn, roles, unitProcess } from './nfs-machine-units.ts';

type Mounted = {
  id: number;
  parent: number;
  device: string;
  root: string;
  target: string;
  type: string;
  source: string;
};

/** Debian with nfs-utils, systemd and a filesystem on /nfsdata, as far as nfsserver and nfsnotify can tell. */
export class NfsMachine extends FakeMachine {
  readonly mounted: Mounted[] = [
    { id: 1, parent: 0, device: '8:1', root: '/', target: '/', type: 'ext4', source: '/dev/sda1' },
    { id: 2, parent: 1, device: '147:1', root: '/', target: '/nfsdata', type: 'xfs', source: '/dev/drbd1' },
    {
      id: 3,
      parent: 1,
      device: '0:50',
      root: '/',
      target: '/run/rpc_pipefs',
      type: 'rpc_pipefs',
      source: 'sunrpc',
    },
  ];
  /** Files on managed storage, which only commands see; directories end with a slash. */
  readonly disk = new Map<string, string | Uint8Array>();
  /** What lies there that is neither file nor directory. */
  readonly odd = new Map<string, Kind>();
  readonly owners = new Map<string, string>();
  /** Of directories that an agent made. */
  readonly modes = new Map<string, number>();
  /** Files that are younger than all others, and than the server. */
  readonly young = new Set<string>();
  readonly failing = new Set<string>();
  /** Those of the failing ones that systemd only refuses to start so often. */
  readonly limited = new Set<string>();
  /** The unit that the next `systemctl start` comes once too often for. */
  refusesOnce: string | undefined;
  readonly masked = new Set<string>();
  /** Threads that stay whatever is done. */
  stuckThreads = 0;
  knowsScope = true;
  /** nfs-utils knows /etc/nfs.conf.d. */
  readsFragments = true;
  ignoresDropIns = false;
  /** What systemd found at its last reload. */
  loadedDropIns: readonly string[] = [];
  /** Pids that keep a mount busy until they end. */
  readonly busy = new Map<number, string>();
  threads = 0;
  /** nfsd threads of containers, which the kernel counts with ours. */
  othersThreads = 0;
  /** The failover filesystem has no room for another byte. */
  isFull = false;
  hasHardLinks = true;
  kernelLog = '[    3.100000] NFSD: Using nfsdcld client tracking operations.\n';
  /** What it says as the server starts. */
  kernelSaysAtStart = '';
  /** Names of a record in `sm.bak`, each with its first one in `sm`: mv refuses to move the one onto the other. */
  readonly secondNames = new Map<string, string>();
  /** What lies in sm.bak came there after the server had started. */
  retiredLately = false;
  /** The machine goes down: whatever systemd is to stop waits for Pacemaker, unless it is told to ignore that. */
  shutsDown = false;
  /** rpc.statd cannot be reached: lockd waits for it as the threads end, until whoever ends them is killed. */
  statdIsDeaf = false;
  private readonly active = new Map<string, number>();
  private nextPid = 1000;

  constructor(env: NodeJS.ProcessEnv = {}) {
    super({ OCF_RESOURCE_INSTANCE: 'nfs', ...env });
    this.factsOf.set('/run/systemd/system', { kind: 'directory' });
    for (const unit of [
      'nfs-server.service',
      ...Object.keys(unitProcess).filter((name) => name !== 'fsidd.service'),
    ])
      this.files.set(`/lib/systemd/system/${unit}`, '[Unit]\n');
    this.files.set(
      '/lib/systemd/system/nfs-server.service',
      '[Unit]\n[Service]\nExecStart=/usr/sbin/rpc.nfsd\n',
    );
    this.files.set(
      '/etc/passwd',
      'root:x:0:0:root:/root:/bin/sh\nstatd:x:105:65534::/var/lib/nfs:/bin/false\n',
    );
    this.files.set('/etc/nfs.conf', '[general]\npipefs-directory=/run/rpc_pipefs\n');
    this.files.set('/proc/sys/fs/nfs/nsm_local_state', '0\n');
    this.files.set('/proc/sys/kernel/hostname', 'node1\n');
    this.files.set('/proc/stat', 'btime 1000000\n');
    this.files.set('/proc/uptime', '0.00 0.00\n');
    this.factsOf.set('/var/lib/nfs/sm', { kind: 'directory', uid: 105, gid: 65534 });
    this.disk.set('/nfsdata/', '').set('/var/lib/nfs/', '');
    this.defineCommands();
    this.publish();
  }

  /** The path on its own filesystem: what is below a bind mount lies in the shared directory. */
  where(path: string): string {
    const bound = [...this.mounted]
      .reverse()
      .find(({ target, root }) => root !== '' && target === '/var/lib/nfs');
    if (!bound || !isWithin(path, '/var/lib/nfs')) return path;
    const home = bound.device === '147:1' ? '/nfsdata' : `/${bound.device}`;
    return `${home}${bound.root === '/' ? '' : bound.root}${path.slice('/var/lib/nfs'.length)}`;
  }

  bindBySomeone(root: string, device = '147:1', target = '/var/lib/nfs'): this {
    this.mounted.push({
      id: 40 + this.mounted.length,
      parent: 1,
      device,
      root,
      target,
      type: 'xfs',
      source: '/dev/x',
    });
    this.publish();
    if (target === '/var/lib/nfs') this.disk.set(`${this.where(target)}/`, '');
    return this;
  }

  /** Warnings that the agent logged. */
  readonly warnings: string[] = [];

  /** The daemons as commands, for a machine without units. */
  programs(): void {
    for (const [unit, program] of Object.entries(unitProcess))
      if (program !== 'fsidd')
        this.on(program, () => {
          if (this.failing.has(unit)) return no('', 1);
          this.startProgram(unit);
          return '';
        });
  }

  /** What the unit would start, without unit or control group. */
  startProgram(unit: string): void {
    const file = `/lib/systemd/system/${unit}`;
    this.files.set(file, '[Unit]\n');
    this.startUnit(unit);
    this.files.delete(`/proc/${this.active.get(unit)}/cgroup`);
    this.files.delete(file);
    this.files.delete(`/sys/fs/cgroup/system.slice/${unit}/cgroup.procs`);
  }

  /** As a stock agent, or an administrator, would have it started. */
  startUnit(unit: string): this {
    const role = roles[unit] ?? unit;
    for (const other of pulledIn[role] ?? [])
      if (this.isInstalled(other) && !this.failing.has(other)) this.startUnit(other);
    if (!this.isInstalled(unit) || this.active.has(unit)) return this;
    const name = unitProcess[role];
    const pid = this.nextPid++;
    this.active.set(unit, pid);
    if (name) {
      this.spawn(name, pid);
      this.files.set(`/sys/fs/cgroup/system.slice/${unit}/cgroup.procs`, `${pid}\n`);
      this.files.set(`/proc/${pid}/cgroup`, `0::/system.slice/${unit}\n`);
    }
    if (role === 'rpc-statd.service') this.files.set('/run/rpc.statd.pid', `${pid}\n`);
    if (role === 'nfs-server.service') {
      this.kernelLog += this.kernelSaysAtStart;
      this.threads = 8;
      this.tellGrace();
      if (!/vers3=n/.test(this.files.get('/run/tsha-nfs/nfs.conf') ?? ''))
        this.files.set('/proc/fs/lockd/nlm_end_grace', 'N\n');
      this.process(60, { comm: 'nfsd\n', stat: kernelThreadOf(60, 'nfsd', 5000 + pid) });
      this.files.set(
        '/proc/net/tcp',
        `   0: 00000000:0801 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${70_000 + pid} 1 0\n`,
      );
    }
    this.publish();
    return this;
  }

  /** As rpc.nfsd and nfsdctl do: lockd is told the same. */
  private tellGrace(): void {
    const files = [...this.files.keys()].filter((path) => /^\/etc\/nfs\.conf(\.d\/.*)?$/.test(path)).sort();
    const texts = [...files, '/run/tsha-nfs/nfs.conf'].map((path) => this.files.get(path) ?? '');
    const seconds = [...texts.join('\n').matchAll(/^grace-time=(\d+)$/gm)].at(-1)?.[1] ?? '0';
    if (seconds === '0') return;
    for (const file of ['/proc/fs/nfsd/nfsv4gracetime', '/proc/sys/fs/nfs/nlm_grace_period'])
      this.files.set(file, `${seconds}\n`);
  }

  spawn(name: string, pid: number, links: { readonly [name: string]: string } = {}): this {
    this.factsOf.set(`/usr/sbin/${name}`, {
      kind: 'file',
      ino: [...name].reduce((sum, one) => sum * 31 + one.charCodeAt(0), 7),
    });
    return this.process(pid, { comm: `${name}\n` }, { exe: `/usr/sbin/${name}`, ...links });
  }

  /** A process that an ordinary user named after a daemon: a copy of the daemon's program, or the daemon itself. */
  imposter(name: string, pid: number, links: { readonly [name: string]: string } = {}): this {
    this.spawn(name, pid, links).files.set(`/proc/${pid}/status`, usersOf(1000));
    return this;
  }

  override async read(path: string): Promise<string> {
    return super.read(this.links.get(path) ?? path);
  }

  override endProcess(pid: number): void {
    super.endProcess(pid);
    this.busy.delete(pid);
    for (const [unit, main] of [...this.active])
      if (main === pid) {
        this.active.delete(unit);
        this.files.delete(`/sys/fs/cgroup/system.slice/${unit}/cgroup.procs`);
      }
  }

  stopUnit(unit: string): void {
    const pid = this.active.get(unit);
    if (pid === undefined) return;
    this.endProcess(pid);
    this.active.delete(unit);
    if ((roles[unit] ?? unit) === 'nfs-server.service') {
      this.forgetClients();
      this.threads = this.stuckThreads;
      for (const bound of ['nfs-mountd.service', 'nfs-idmapd.service']) this.stopUnit(bound);
      if (this.threads === 0) super.endProcess(60);
    }
    this.publish();
  }

  /** lockd tells statd to forget every client when it goes down. */
  private forgetClients(): void {
    const records = `${this.where('/var/lib/nfs')}/sm/`;
    for (const path of [...this.disk.keys()])
      if (path.startsWith(records) && path !== records) this.disk.delete(path);
  }

  isUp = (unit: string): boolean => this.active.has(unit);
  private isInstalled = (unit: string): boolean =>
    this.files.has(`/lib/systemd/system/${unit}`) && !this.masked.has(unit);

  private publish(): void {
    const lines = this.mounted.map(
      ({ id, parent, device, root, target, type, source }) =>
        `${id} ${parent} ${device} ${root} ${target} rw - ${type} ${source} rw\n`,
    );
    this.files.set('/proc/self/mountinfo', lines.join(''));
    this.files.set('/proc/net/rpc/nfsd', `rc 0 0 0\nth ${this.threads + this.othersThreads} 0 0.000 0.000\n`);
    if (this.othersThreads > 0) this.files.set('/proc/fs/nfsd/threads', `${this.threads}\n`);
  }

  /** A container on this machine starts an NFS server of its own. */
  serveInContainer(): this {
    this.othersThreads = 4;
    this.process(50, { comm: 'nfsd\n', stat: kernelThreadOf(50, 'nfsd', 10) });
    this.publish();
    return this;
  }

  /** The number of threads is changed: the first one ends, others have begun. */
  resizeThreads(pid = 61, begun = 9000): this {
    super.endProcess(60);
    return this.process(pid, { comm: 'nfsd\n', stat: kernelThreadOf(pid, 'nfsd', begun) });
  }

  /** The cluster's resources, as `cibadmin` tells them; `undefined`: there is no cluster. */
  resources: readonly string[] | undefined;

  private defineCommands(): void {
    this.on('systemctl', ([verb = '', ...args], command) => {
      if (this.shutsDown && verb === 'stop' && !args.includes('--job-mode=ignore-dependencies'))
        return hangs(command, this);
      if (this.shutsDown && verb === 'start') return no('Transaction is destructive');
      if (this.statdIsDeaf && this.threads > 0 && verb === 'stop' && args.includes('nfs-server.service'))
        return hangs(command, this);
      switch (verb) {
        case 'show':
          return args
            .slice(3)
            .map((unit) => {
              const load = this.masked.has(unit) ? 'masked' : this.isInstalled(unit) ? 'loaded' : 'not-found';
              const active = this.active.has(unit)
                ? 'active'
                : this.failing.has(unit)
                  ? 'failed'
                  : 'inactive';
              const result =
                active === 'failed' ? (this.limited.has(unit) ? 'start-limit-hit' : 'exit-code') : 'success';
              return `Id=${unit}\nLoadState=${load}\nActiveState=${active}\nResult=${result}\nExecMainStatus=1\nFragmentPath=/lib/systemd/system/${unit}\nDropInPaths=${this.loadedDropIns.filter((file) => file.includes(`/${unit}.d/`)).join(' ')}\nNeedDaemonReload=no\n`;
            })
            .join('\n');
        case 'reset-failed':
          for (const unit of args) if (this.limited.delete(unit)) this.failing.delete(unit);
          return '';
        case 'start': {
          if (this.refusesOnce) for (const set of [this.failing, this.limited]) set.add(this.refusesOnce);
          this.refusesOnce = undefined;
          const broken = args.find((unit) => this.failing.has(unit));
          for (const unit of args) if (unit !== broken) this.startUnit(unit);
          return broken ? no(`Job for ${broken} failed`) : '';
        }
        case 'stop':
          for (const unit of args) this.stopUnit(unit);
          return '';
        case 'daemon-reload':
          if (!this.ignoresDropIns)
            // in the order of their names, in whatever directory they are: systemd.unit(5)
            this.loadedDropIns = [...this.files.keys()]
              .filter((file) => file.includes('.service.d/'))
              .sort((a, b) => (a.replace(/.*\//, '') < b.replace(/.*\//, '') ? -1 : 1));
          return '';
        default:
          return '';
      }
    });
    this.on('mount', (args) => {
      const [source = '', target = ''] = args.slice(-2).map((arg) => arg.replace(/\/\.$/, '')); // `/.`: of a pinned place
      if (args.includes('rpc_pipefs')) {
        const parent = this.mounted.findLast(({ target: on }) => isWithin(target, on))?.id ?? 1;
        this.mounted.push({ id: 90, parent, device: '0:50', root: '/', target, type: 'rpc_pipefs', source });
      } else {
        if (!this.disk.has(`${source}/`))
          return no(`mount: ${target}: special device ${source} does not exist.`, 32);
        const holder = this.mounted.findLast(({ target: on }) => isWithin(source, on));
        const root =
          source === holder?.target ? '/' : source.slice(holder?.target === '/' ? 0 : holder?.target.length);
        const { device = '8:1', type = 'ext4', source: from = 'x' } = holder ?? {};
        this.mounted.push({
          id: 50 + this.mounted.length,
          parent: 1,
          device,
          root,
          target,
          type,
          source: from,
        });
      }
      this.publish();
      return '';
    });
    this.on('umount', (args) => {
      const target = args.at(-1) ?? '';
      if ([...this.busy.values()].includes(target)) return no(`umount: ${target}: target is busy.`, 32);
      const at = this.mounted.findLastIndex(({ target: on }) => on === target);
      if (at < 0) return no('not mounted', 32);
      this.mounted.splice(at, 1);
      this.publish();
      return '';
    });
    this.on('modprobe', () => {
      for (const [file, value] of Object.entries(kernelNumbers))
        if (!this.files.has(file)) this.files.set(file, `${value}\n`);
      if (!this.files.has('/proc/fs/nfsd/versions'))
        this.files.set('/proc/fs/nfsd/versions', '-2 +3 +4 +4.1 +4.2\n');
      return '';
    });
    this.on('nfsconf', async ([, section = '', key = '']) => {
      if (!this.readsFragments) return no('', 1);
      const value = (await nfsConf(hostOn(this, 1000))).get(section, key);
      return value === undefined ? no('', 1) : `${value}\n`;
    });
    this.on('rpc.nfsd', ([first], command) => {
      if (first === undefined) this.startProgram('nfs-server.service');
      if (first === '0') {
        if (this.threads > 0) this.forgetClients();
        this.threads = this.stuckThreads;
        if (this.threads === 0) super.endProcess(60);
        this.publish();
        if (this.statdIsDeaf || this.stuckThreads > 0) return hangs(command, this);
      }
      this.publish();
      return first === '0' || first === undefined
        ? ''
        : no(`${this.knowsScope ? '' : "rpc.nfsd: unrecognized option '--scope=x'\n"}Usage:\n`, 2);
    });
    defineFileTools(this);
    const machine = this;
    this.disksOfOthers({
      files: this.disk,
      odd: this.odd,
      owners: this.owners,
      modes: this.modes,
      secondNames: this.secondNames,
      young: this.young,
      get isFull() {
        return machine.isFull;
      },
      get hasHardLinks() {
        return machine.hasHardLinks;
      },
      get retiredLately() {
        return machine.retiredLately;
      },
      where: (path) => this.where(path),
    });
    this.on('realpath', (args) => `${args.at(-1)}\0`);
    this.on('getent', () => no('', 2));
    this.on('dmesg', () => this.kernelLog);
    this.on('cibadmin', () =>
      this.resources
        ? `<resources>\n${this.resources.map((id) => `  <primitive class="ocf" id="${id}"/>\n`).join('')}</resources>\n`
        : { code: 127, missing: true },
    );
  }
}
