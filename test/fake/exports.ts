import { isWithin, tidyPath } from '../../lib/host/storage/mounts.ts';
import type { Argv, Followed } from '../../lib/host/sys/sys.ts';
import { FakeMachine } from './machine.ts';

const defaults =
  'sync,wdelay,hide,nocrossmnt,secure,root_squash,no_all_squash,no_subtree_check,secure_locks,acl,no_pnfs';

/** An etab line as exportfs 2.6 writes it. */
export function etabLine(path: string, client: string, options = 'rw'): string {
  const named = options.split(',');
  const access = named.includes('rw') ? 'rw' : 'ro';
  const kept = defaults.split(',').filter((one) => !named.includes(`no_${one}`));
  const extra = named.filter((one) => one !== 'rw' && one !== 'ro' && !kept.includes(one));
  const all = [access, ...kept, ...extra, 'anonuid=65534', 'anongid=65534', `sec=sys,${access}`];
  return `${path.replaceAll(' ', '\\040')}\t${client}(${all.join(',')})\n`;
}

/** A node whose NFS server runs, with an exportfs that keeps etab as the real one does. */
export class ExportingMachine extends FakeMachine {
  /** What the path lookups of `stat` find; everything else does not exist. */
  readonly directories = new Set(['/usr', '/var', '/srv/a', '/srv/b', '/nfsdata', '/']);
  statePath = '/var/lib/nfs';
  readonly hostNames = new Map<string, string>();
  /** The paths whose locks the kernel was told to drop. */
  readonly unlocked: string[] = [];
  readonly refusesToUnexport = new Set<string>();

  constructor(env: NodeJS.ProcessEnv = {}) {
    super(env);
    this.unmountAll();
    this.files.set('/proc/net/rpc/nfsd', 'rc 0 0 0\nth 8 0 0.000\n');
    this.files.set('/proc/fs/nfsd/threads', '8\n');
    this.files.set('/proc/fs/nfsd/unlock_filesystem', '');
    this.files.set('/proc/net/rpc/nfsd.export/content', '#path domain(flags)\n');
    for (const cache of ['auth.unix.ip', 'auth.unix.gid', 'nfsd.fh', 'nfsd.export'])
      this.files.set(`/proc/net/rpc/${cache}/flush`, '');
    this.etab = '';
    this.files.set('/var/lib/nfs/rmtab', '');
    this.commandsOfCoreutils();
    this.on('exportfs', (args) => this.exportfs(args));
    this.on('getent', ([, name = '']) => {
      const canonical = this.hostNames.get(name);
      return canonical ? `192.0.2.1      STREAM ${canonical}\n` : { code: 2 };
    });
  }

  get etab(): string {
    return this.files.get(`${this.statePath}/etab`) ?? '';
  }
  set etab(text: string) {
    this.files.set(`${this.statePath}/etab`, text);
  }

  get exported(): readonly string[] {
    return this.etab
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace('\t', ' ').replace(/\(.*/, ''));
  }

  /** Only the root filesystem stays. */
  unmountAll(): this {
    this.files.set('/proc/self/mountinfo', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n');
    return this;
  }

  /** Another device is mounted there, bound from `root` of it. */
  mount(target: string, device: string, root = '/'): this {
    const table = this.files.get('/proc/self/mountinfo') ?? '';
    const id = table.split('\n').length + 1;
    this.files.set(
      '/proc/self/mountinfo',
      `${table}${id} 1 ${device} ${root} ${target} rw - xfs /dev/drbd1 rw\n`,
    );
    return this;
  }

  private isMounted(path: string): boolean {
    return (this.files.get('/proc/self/mountinfo') ?? '').includes(` ${path} rw `);
  }

  /** The files of a directory that a link leads to lie below the link here. */
  private linkedFrom(path: string): string {
    for (const [link, target] of this.links) {
      const real = tidyPath(target.startsWith('/') ? target : `${link}/../${target}`);
      if (real !== '/' && isWithin(path, real)) return `${link}${path.slice(real.length)}`;
    }
    return path;
  }

  stopNfsd(): this {
    this.files.set('/proc/net/rpc/nfsd', 'th 0 0 0.000\n');
    this.files.set('/proc/fs/nfsd/threads', '0\n');
    return this;
  }

  /** Whoever waits for a lock has it at once. */
  override async follow(argv: Argv): Promise<Followed> {
    this.events.push('held\n');
    return super.follow(argv);
  }

  private exportfs(args: readonly string[]) {
    const exports = args.filter((arg) => arg.includes(':/'));
    const options = args[args.indexOf('-o') + 1];
    const lines = this.etab.split('\n').filter(Boolean);
    const said: string[] = [];
    for (const argument of exports) {
      const [, spec = '', path = ''] = /^(.*?):(\/.*)$/.exec(argument) ?? [];
      const client = this.hostNames.get(spec) ?? spec.replace(/^\[([^\]]*:[^\]]*)\]/, '$1');
      said.push(`${args.includes('-u') ? 'unexporting' : 'exporting'} ${client}:${path}\n`);
      const is = (line: string) => line.startsWith(`${path.replaceAll(' ', '\\040')}\t${client}(`);
      const at = lines.findIndex(is);
      if (args.includes('-u')) {
        if (this.refusesToUnexport.has(path)) return { code: 1, stderr: 'exportfs: no way\n' };
        if (at < 0) return { code: 1, stderr: `exportfs: Could not find '${argument}' to unexport.\n` };
        lines.splice(at, 1);
      } else {
        if (options?.includes('bogus'))
          return { code: 1, stderr: 'exportfs: command line:0: unknown keyword "bogus"\n' };
        const line = etabLine(path, client, args.includes('-o') ? options : '').trimEnd();
        if (at < 0) lines.push(line);
        else lines[at] = line;
      }
    }
    this.etab = lines.map((line) => `${line}\n`).join('');
    return said.join('');
  }

  private commandsOfCoreutils(): void {
    const file = (args: readonly string[]) => args.at(-1) ?? '';
    this.on('stat', (args) =>
      this.directories.has(file(args))
        ? '8:1 2 directory\n'
        : this.files.has(file(args))
          ? '8:1 2 regular file\n'
          : { code: 1, stderr: `stat: cannot statx '${file(args)}': No such file or directory\n` },
    );
    this.on(
      'cat',
      (args) => this.files.get(file(args)) ?? { code: 1, stderr: 'No such file or directory\n' },
    );
    this.disksOfOthers({
      files: this.files,
      directories: {
        has: (path) => this.directories.has(path) || path === '/var/lib/nfs' || this.isMounted(path),
      },
      links: this.links,
      where: (path) => this.linkedFrom(path),
    });
    this.on('tee', (args, { input = '' }) => {
      for (const flush of args.filter((arg) => arg.endsWith('/flush'))) this.files.set(flush, String(input));
      const before = args.includes('-a') ? (this.files.get(file(args)) ?? '') : '';
      if (file(args).startsWith('/proc/') && !this.files.has(file(args)))
        return { code: 1, stderr: `tee: ${file(args)}: No such file or directory\n` };
      this.files.set(file(args), before + String(input));
      if (file(args) === '/proc/fs/nfsd/unlock_filesystem') this.unlocked.push(String(input).trim());
      return String(input);
    });
    this.on('realpath', (args) => `${file(args)}\0`);
  }
}
