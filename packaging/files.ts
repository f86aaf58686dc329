import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedRunner, cachedRunnerSource, cacheOf } from './code-cache.ts';
import { nativeProgram, type Places, setPlaces } from './launcher.ts';
import { manualPaths } from './manuals.ts';
import { noticesFile } from './notices/notices.ts';
import { sbomFile } from './notices/sbom.ts';
import { ocftCases } from './ocft.ts';
import { agentNames, commandName, projectFolder } from './products.ts';

// What `install` and the packages lay, and what `uninstall` takes away: one list.

export const flavours = ['native', 'script'] as const;
export type Flavour = (typeof flavours)[number];

/** Pacemaker takes every executable file of the provider's directory for an agent, so what they share has a place of its own. */
export const agentDir = '/usr/lib/ocf/resource.d/tsha';
const programDir = '/usr/lib/ocf/lib/tsha';
const commandDir = '/usr/sbin';

/** Where systems differ. */
export type Layout = {
  readonly docDir: string;
  /** A directory in zsh's $fpath. */
  readonly zshDir: string;
};
export const zshDirs = {
  debian: '/usr/share/zsh/vendor-completions',
  others: '/usr/share/zsh/site-functions',
};
/** What `install` lays belongs to no package. */
export const unpackaged = { docDir: '/usr/share/doc/tsha', zshDir: zshDirs.others } satisfies Layout;

/** Directories that hold nothing but ours. */
export const ownDirs = ({ docDir }: Layout): readonly string[] => [agentDir, programDir, docDir];

export type File = {
  /** Absolute, as it is called on the system that it is installed on. */
  readonly path: string;
  readonly mode: 0o755 | 0o644;
  readonly content: () => Promise<Buffer>;
};

const share = (name: string): string => join(projectFolder, 'packaging/share', name);

/** Where the flavour's executables have been built. */
export const builtIn = (flavour: Flavour): string =>
  join(projectFolder, flavour === 'native' ? 'dist/native' : 'dist');

/** The script flavour's compiled code, which only the Node of the target can make. */
export const cacheFiles: readonly string[] = agentNames.map((name) => join(programDir, cacheOf(name)));
export const runnerPath = join(programDir, cachedRunner);
export const programPath = join(programDir, nativeProgram);

/** Everything that a flavour consists of, with `places` written into its executables; `built` is where these are. */
export function filesOf(
  flavour: Flavour,
  places: Places,
  { docDir, zshDir }: Layout = unpackaged,
  built = builtIn(flavour),
): readonly File[] {
  const launcher = (path: string, name: string): File => ({
    path,
    mode: 0o755,
    content: async () => Buffer.from(setPlaces(await readFile(join(built, name), 'utf8'), places)),
  });
  const copy = (path: string, mode: File['mode'], from: string): File => ({
    path,
    mode,
    content: () => readFile(from),
  });
  return [
    // first: until they are replaced themselves, agents run with what was installed with them, or with this
    ...(flavour === 'native' ? [copy(programPath, 0o755, join(built, nativeProgram))] : []),
    ...(places.runner ? [copy(runnerPath, 0o644, cachedRunnerSource)] : []),
    ...agentNames.map((name) => launcher(join(agentDir, name), name)),
    launcher(join(commandDir, commandName), commandName),
    ...manualPaths.map((path) => copy(join('/usr/share', path), 0o644, join(built, path))),
    copy('/usr/share/bash-completion/completions/tsha', 0o644, share('tsha.bash')),
    copy(join(zshDir, '_tsha'), 0o644, share('tsha.zsh')),
    ...agentNames.map(
      (name): File => ({
        path: `/usr/share/resource-agents/ocft/configs/tsha-${name}`,
        mode: 0o644,
        content: async () => Buffer.from(ocftCases(agentDir, name)),
      }),
    ),
    copy('/usr/share/pacemaker/alerts/alert_tsha.sh', 0o755, share('alert_tsha.sh')),
    copy('/usr/lib/tmpfiles.d/tsha.conf', 0o644, share('tsha.tmpfiles')),
    copy('/usr/lib/systemd/system/tsha-metrics.service', 0o644, share('tsha-metrics.service')),
    copy('/usr/lib/systemd/system/tsha-metrics.timer', 0o644, share('tsha-metrics.timer')),
    copy(join(docDir, 'tsha-alerts.yml'), 0o644, share('tsha-alerts.yml')),
    copy(join(docDir, 'LICENSE'), 0o644, join(projectFolder, 'LICENSE')),
    copy(join(docDir, noticesFile), 0o644, join(built, noticesFile)),
    copy(join(docDir, sbomFile), 0o644, join(built, sbomFile)),
  ];
}
