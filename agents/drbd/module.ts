import { Failure } from '../../lib/contract/outcome.ts';
import type { Admin } from '../../lib/host/drbd/admin.ts';
import { compareVersions, kernelVersion, type Version, versionText } from '../../lib/host/drbd/version.ts';
import { outputTrouble } from '../../lib/host/host.ts';
import { isThere } from '../../lib/host/local-files.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/** The kernel module's version, if this agent, its parameters and the clone can work with it; throws `Failure` otherwise. */
export async function suitableKernel(ctx: Ctx): Promise<Version> {
  const version = await kernelVersion(ctx.host);
  const { kernelAtLeast: atLeast, kernelBelow: below, cloneMax } = wanted(ctx);
  const is = `DRBD kernel module ${versionText(version)} is`;
  if (compareVersions(version, oldest) < 0)
    throw new Failure('notInstalled', `${is} too old: ${versionText(oldest)} is the oldest that works`);
  if (atLeast && compareVersions(version, atLeast) < 0)
    throw new Failure(
      'notInstalled',
      `${is} older than require_drbd_module_version_ge=${versionText(atLeast)}`,
    );
  if (below && compareVersions(version, below) >= 0)
    throw new Failure(
      'notInstalled',
      `${is} not older than require_drbd_module_version_lt=${versionText(below)}`,
    );
  if (version[0] < 9 && (cloneMax ?? 0) > 2)
    throw new Failure('misconfigured', `${is} for two nodes only: clone-max=${cloneMax} needs DRBD 9`);
  return version;
}

/** The first with resources and volumes as this agent knows them. */
const oldest: Version = [8, 4, 0];

/** Loads the module with the options that the configuration asks for, if it is not there yet. */
export async function loadModule({ host }: Ctx, admin: Admin): Promise<void> {
  if (await isThere(host, '/proc/drbd')) return;
  const wanted = (await admin.run(['sh-mod-parms'])).stdout
    .split(/\s+/)
    .filter((word) => /^\w+=\S+$/.test(word));
  const output = await host.tryRun(['modprobe', '-s', 'drbd', ...wanted]);
  if (output.code === 0) return;
  const why = output.missing ? 'modprobe is not installed' : outputTrouble(output);
  throw new Failure('notInstalled', `the DRBD kernel module cannot be loaded: ${why}`);
}
