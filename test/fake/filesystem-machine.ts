import { filesystem } from '../../agents/Filesystem/agent.ts';
import { isWithin } from '../../lib/host/storage/mounts.ts';
import { type Result, runAction } from '../../lib/ocf/run.ts';
import { FakeMachine } from './machine.ts';
import { environmentOf, keptLog, recurring } from './story.ts';

export { recurring };

export type Row = {
  readonly source: string;
  readonly target: string;
  readonly device: string;
  readonly type?: string;
  readonly root?: string;
  readonly superOptions?: string;
  readonly parent?: number;
  /** As the kernel gives it: often that of a mount that has gone. */
  readonly id?: number;
};

/** A machine with a mount table that mount and umount change, block devices, and the kernel's view of both below /sys. */
export class FilesystemMachine extends FakeMachine {
  readonly log: string[] = [];
  private rows: (Row & { readonly id: number })[] = [];
  private nextId = 100;

  constructor(params: { readonly [name: string]: string } = {}) {
    super(
      environmentOf({
        CRM_meta_timeout: '20000',
        device: '/dev/drbd1',
        directory: '/nfsdata',
        fstype: 'xfs',
        ...params,
      }),
    );
    this.env['OCF_RESKEY_CRM_meta_timeout'] ??= '20000';
    this.files.set('/proc/filesystems', 'nodev\ttmpfs\nnodev\tfuse\n\text4\n\txfs\n\tbtrfs\n');
    this.files.set('/proc/sys/kernel/hostname', 'node1\n');
    this.links.set('/proc/self/ns/mnt', 'mnt:[1]');
    this.factsOf.set('/nfsdata', { kind: 'directory' });
    this.disk('/dev/drbd1', 147, 1);
    this.disk('/dev/root', 254, 0);
    this.on('mount', (args) => {
      const [source = '', target = ''] = args.slice(-2).map((arg) => arg.replace(/\/\.$/, '')); // `/.`: of a pinned place
      if (args.includes('--move')) return this.move(source, target);
      const type = args.includes('-t') ? args[args.indexOf('-t') + 1] : 'xfs';
      const options = args.includes('-o') ? (args[args.indexOf('-o') + 1] ?? '').split(',') : [];
      this.mounted({ ...this.origin(source, options), target, ...(type && { type }) });
      return undefined;
    });
    this.on('umount', (args) => {
      const target = args.at(-1) ?? '';
      const at = this.rows.findLastIndex((row) => row.target === target);
      if (at < 0) return { code: 32, stderr: `umount: ${target}: not mounted.\n` };
      if (this.isBusy(target, at)) return { code: 32, stderr: `umount: ${target}: target is busy.\n` };
      this.unmounted(target);
      return undefined;
    });
    const isTarget = (path: string) => this.rows.some(({ target }) => target === path);
    const has = (path: string) => isTarget(path) || this.factsOf.get(path)?.kind === 'directory';
    this.disksOfOthers({ files: this.files, directories: { has }, where: (path) => path });
    this.writeTable();
  }

  disk(path: string, major: number, minor: number): this {
    this.factsOf.set(path, { kind: 'block', rdev: major * 256 + minor });
    this.links.set(
      `/sys/dev/block/${major}:${minor}`,
      `../../devices/virtual/block/${path.split('/').at(-1)}`,
    );
    return this;
  }

  /** Over whatever is mounted there, and below the mount that holds the target. */
  mounted(row: Row): this {
    const below = this.rows.filter(({ target }) => isWithin(row.target, target));
    const holder = below.toSorted((a, b) => a.target.length - b.target.length).at(-1);
    this.rows.push({ parent: holder?.id ?? 1, id: this.nextId++, ...row });
    this.writeTable();
    return this;
  }

  /** The uppermost mount there is gone. */
  unmounted(target: string): void {
    this.rows.splice(
      this.rows.findLastIndex((row) => row.target === target),
      1,
    );
    this.writeTable();
  }

  get targets(): readonly string[] {
    return this.rows.map(({ target }) => target);
  }

  /** `status` may be a recurring monitor: pass CRM_meta_interval. */
  call(action: string, env: { readonly [name: string]: string } = {}): Promise<Result> {
    Object.assign(this.env, env);
    return runAction(filesystem, action, this, keptLog(this.log));
  }

  /** What the kernel shows of a device, of a bound directory, of a name. */
  private origin(named: string, options: readonly string[]): Pick<Row, 'source' | 'device' | 'root'> {
    const source = this.links.get(named) ?? named;
    const rdev = this.factsOf.get(source)?.rdev ?? 0;
    if (rdev) return { source, device: `${rdev >> 8}:${rdev & 0xff}` };
    if (options.includes('loop')) {
      this.files.set('/sys/dev/block/7:0/loop/backing_file', `${source}\n`);
      return { source: '/dev/loop0', device: '7:0' };
    }
    if (!options.includes('bind')) return { source, device: '0:99' };
    const holder = this.rows.findLast(({ target }) => isWithin(source, target));
    if (!holder) return { source: '/dev/root', device: '254:0', root: source };
    return { source: holder.source, device: holder.device, root: source.slice(holder.target.length) || '/' };
  }

  /** A link of a process leads there, or another mount lies below. */
  private isBusy(target: string, at: number): boolean {
    const { id } = this.rows[at] ?? {};
    if (this.rows.some(({ parent }) => parent === id)) return true;
    const covered = this.rows.some((row, index) => index !== at && row.target === target);
    return !covered && [...this.links].some(([link, text]) => isProcess.test(link) && isWithin(text, target));
  }

  /** Whatever is mounted on or below `from`. */
  private move(from: string, to: string): undefined {
    this.rows = this.rows.map((row) =>
      `${row.target}/`.startsWith(`${from}/`) ? { ...row, target: to + row.target.slice(from.length) } : row,
    );
    this.writeTable();
  }

  private writeTable(): void {
    const lines = this.rows.map(
      ({ id, parent = 1, device, root = '/', target, type = 'xfs', source, superOptions = 'rw' }) =>
        `${id} ${parent} ${device} ${root} ${escaped(target)} rw,relatime - ${type} ${source} ${superOptions}\n`,
    );
    this.files.set('/proc/self/mountinfo', ['1 0 254:0 / / rw - ext4 /dev/root rw\n', ...lines].join(''));
  }
}

const isProcess = /^\/proc\/\d+\//;

/** As the kernel's mangle_path writes a path. */
const escaped = (path: string): string =>
  path.replace(/[ \t\n\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
