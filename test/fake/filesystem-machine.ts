import { filesystem } from '../../agents/Filesystem/agent.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { type Result, runAction } from '../../lib/ocf/run.ts';
import { FakeMachine } from './machine.ts';

export type Row = {
  readonly source: string;
  readonly target: string;
  readonly device: string;
  readonly type?: string;
  readonly root?: string;
  readonly superOptions?: string;
  readonly parent?: number;
};

/** A machine with a mount table that mount and umount change, block devices, and the kernel's view of both below /sys. */
export class FilesystemMachine extends FakeMachine {
  readonly log: string[] = [];
  private rows: (Row & { readonly id: number })[] = [];
  private nextId = 100;

  constructor(params: { readonly [name: string]: string } = {}) {
    super(
      Object.fromEntries(
        Object.entries({
          CRM_meta_timeout: '20000',
          device: '/dev/drbd1',
          directory: '/nfsdata',
          fstype: 'xfs',
          ...params,
        }).map(([name, value]) => [name === name.toUpperCase() ? name : `OCF_RESKEY_${name}`, value]),
      ),
    );
    this.env['OCF_RESKEY_CRM_meta_timeout'] ??= '20000';
    this.files.set('/proc/filesystems', 'nodev\ttmpfs\nnodev\tfuse\n\text4\n\txfs\n\tbtrfs\n');
    this.files.set('/proc/sys/kernel/hostname', 'node1\n');
    this.links.set('/proc/self/ns/mnt', 'mnt:[1]');
    this.factsOf.set('/nfsdata', { kind: 'directory' });
    this.disk('/dev/drbd1', 147, 1);
    this.on('mount', (args) => {
      const [source = '', target = ''] = args.slice(-2);
      if (args.includes('--move')) return this.move(source, target);
      const type = args[args.indexOf('-t') + 1] ?? 'xfs';
      const rdev = this.factsOf.get(source)?.rdev ?? 0;
      this.mounted({ source, target, type, device: rdev ? `${rdev >> 8}:${rdev & 0xff}` : '0:99' });
      return undefined;
    });
    this.on('umount', (args) => {
      const at = this.rows.findLastIndex(({ target }) => target === args.at(-1));
      if (at < 0) return { code: 32, stderr: `umount: ${args.at(-1)}: not mounted.\n` };
      this.rows.splice(at, 1);
      this.writeTable();
      return undefined;
    });
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

  mounted(row: Row): this {
    this.rows.push({ ...row, id: this.nextId++ });
    this.writeTable();
    return this;
  }

  get targets(): readonly string[] {
    return this.rows.map(({ target }) => target);
  }

  /** `status` may be a recurring monitor: pass CRM_meta_interval. */
  call(action: string, env: { readonly [name: string]: string } = {}): Promise<Result> {
    Object.assign(this.env, env);
    const to =
      (level: string) =>
      (message: string): void =>
        void this.log.push(`${level} ${message}`);
    const log: Log = { crit: to('crit'), error: to('error'), warn: to('warn'), info: to('info'), debug() {} };
    return runAction(filesystem, action, this, log);
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
        `${id} ${parent} ${device} ${root} ${target.replaceAll(' ', '\\040')} rw,relatime - ${type} ${source} ${superOptions}\n`,
    );
    this.files.set('/proc/self/mountinfo', ['1 0 254:0 / / rw - ext4 /dev/root rw\n', ...lines].join(''));
  }
}

export const recurring = { OCF_RESKEY_CRM_meta_interval: '10000' } as const;
