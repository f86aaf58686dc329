import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

// The stock agent on a kernel without DRBD: a copy of the installed one finds /proc/drbd and its devices where the test puts
// them, and tools that answer what the test says.

const installed = '/usr/lib/ocf/resource.d/linbit';

export const clusterEnv = {
  OCF_ROOT: '/usr/lib/ocf',
  OCF_RESOURCE_INSTANCE: 'p_drbd',
  OCF_RESKEY_drbd_resource: 'data',
  OCF_RESKEY_crm_feature_set: '3.7.1',
  OCF_RESKEY_CRM_meta_interval: '10000',
  OCF_RESKEY_CRM_meta_timeout: '20000',
  OCF_RESKEY_CRM_meta_clone_max: '2',
  OCF_RESKEY_CRM_meta_notify: 'true',
};

export type Situation = {
  /** What `drbdsetup events2` prints (on 8.4 `sh-status`). */
  readonly state?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** As `drbdadm --version` tells it. */
  readonly kernel?: string;
  /** Shell words of a `case "$*" in`, before what the tools answer otherwise, e.g. `events2*) exit 20 ;;`. */
  readonly drbdadm?: string;
  readonly drbdsetup?: string;
  readonly crmMaster?: string;
  readonly module?: boolean;
  readonly killAfterMs?: number;
};

export class StockDrbd {
  readonly folder = mkdtempSync(join(tmpdir(), 'tsha-drbd-stock-'));

  constructor() {
    if (!existsSync(join(installed, 'drbd')))
      throw new Error('the stock agent is not installed: apt-get install drbd-utils resource-agents');
    for (const name of ['drbd', 'drbd.shellfuncs.sh']) {
      const text = readFileSync(join(installed, name), 'utf8')
        .replaceAll('/proc/drbd', join(this.folder, 'proc-drbd'))
        .replace(/test -b \$dev/g, 'test -e $dev')
        .replaceAll(installed, this.folder);
      writeFileSync(join(this.folder, name), text, { mode: 0o755 });
    }
    for (const name of ['crm_resource', 'modprobe', 'modinfo']) this.tool(name, '');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Every call is written down. */
  private tool(name: string, cases: string): void {
    const script = `#!/bin/sh\necho "${name} $*" >> ${this.folder}/calls\ncase "$*" in\n${cases}\nesac\n`;
    writeFileSync(join(this.folder, name), script, { mode: 0o755 });
  }

  async run(action: string, given: Situation) {
    const { folder } = this;
    const { state = 'exists -\n', kernel = '0x090209', module = true } = given;
    writeFileSync(join(folder, 'version'), `DRBD_KERNEL_VERSION_CODE=${kernel}\n`);
    writeFileSync(join(folder, 'drbd.conf'), '');
    writeFileSync(join(folder, 'state'), state);
    for (const name of ['calls', 'scores']) writeFileSync(join(folder, name), '');
    if (module) writeFileSync(join(folder, 'proc-drbd'), '');
    else rmSync(join(folder, 'proc-drbd'), { force: true });
    this.tool(
      'drbdadm',
      `${given.drbdadm ?? ''}\n*--version*) cat ${folder}/version ;;\n*sh-dev*) echo /dev/null ;;`,
    );
    this.tool(
      'drbdsetup',
      `${given.drbdsetup ?? ''}\nevents2* | sh-status*) cat ${folder}/state ;;\n*) exit 20 ;;`,
    );
    this.tool('crm_master', `${given.crmMaster ?? ''}\n*) echo "$*" >> ${folder}/scores ;;`);
    const since = performance.now();
    const { exitCode, stderr } = await execa(join(folder, 'drbd'), [action], {
      env: {
        ...clusterEnv,
        OCF_RESKEY_drbdconf: join(folder, 'drbd.conf'),
        HA_SBIN_DIR: folder,
        HA_LOGFACILITY: 'none',
        PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin`,
        ...given.env,
      },
      extendEnv: false,
      reject: false,
      forceKillAfterDelay: 100,
      ...(given.killAfterMs !== undefined && { timeout: given.killAfterMs, killSignal: 'SIGKILL' as const }),
    });
    return {
      code: exitCode,
      score: scoreOf(this.lines('scores')),
      calls: this.lines('calls'),
      reason: /ocf-exit-reason:(.*)/.exec(stderr)?.[1] ?? '',
      ms: performance.now() - since,
    };
  }

  private lines = (name: string): readonly string[] =>
    readFileSync(join(this.folder, name), 'utf8').split('\n').filter(Boolean);
}

/** What the last of these did to the score: `10000`, `-` deleted, `=` untouched. */
export const scoreOf = (lines: readonly string[]): string => {
  const last = lines.at(-1);
  return last === undefined ? '=' : last.endsWith('-D') ? '-' : (last.split(' ').at(-1) ?? '?');
};
