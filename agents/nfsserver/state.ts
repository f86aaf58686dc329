import { tellState } from '../../lib/host/nfs/nsm-records.ts';
import { type StatdHome, stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { recordLists, recovery, stateFiles } from '../../lib/host/nfs/state-names.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import { isWithin } from '../../lib/host/storage/mounts.ts';
import { label, usesLabels } from '../../lib/host/storage/selinux.ts';
import { share } from './infodir.ts';
import type { Ctx } from './params.ts';
import { mountPipefs } from './pipefs.ts';
import type { Survey } from './survey.ts';

/** What the state directory was like before this start. */
export type Furnished = {
  readonly isNew: boolean;
  /**
   * Whether an NFSv3 client is on record that may claim its locks again. `unknown`: none is, but the server before was ended by
   * somebody who had them forgotten.
   */
  readonly v3Clients: 'some' | 'none' | 'unknown';
};

/** Brings the state directory to its place and makes what the daemons expect to find there. */
export async function furnish(
  ctx: Ctx,
  survey: Survey,
  home: StatdHome,
  callout: string | undefined,
): Promise<Furnished> {
  const { host, memory } = ctx;
  await share(ctx, survey);
  const furnished = await fill(ctx, home, survey.v3, callout !== undefined);
  await mountPipefs(host, memory, survey);
  return furnished;
}

/** Makes what a fresh state directory lacks, and hands statd's part to this machine's account. */
async function fill(
  { host, log }: Ctx,
  { dir, owner, mode }: StatdHome,
  speaksV3: boolean,
  hasCallout: boolean,
): Promise<Furnished> {
  const isBelow = isWithin(dir, stateRoot);
  const path = isBelow ? dir.slice(stateRoot.length + 1) : '';
  const asked = { path, owner, mode, hasCallout, speaksV3 };
  const { root, statd } = isBelow
    ? await beneath(host, stateRoot, 'furnishBoth', { hasCallout, statd: asked })
    : {
        root: await beneath(host, stateRoot, 'furnish', { hasCallout }),
        statd: await beneath(host, dir, 'furnishStatd', asked),
      };
  const { moved, isNew, isOrderly, wasKept } = root;
  for (const sentence of [...moved, ...statd.moved]) log.warn(sentence);
  if (statd.state !== null) await tellState(host, statd.state);
  if (await usesLabels(host)) {
    // never stateRoot with -R: the data may be below, too
    const files = [
      ...stateFiles.map((name) => `${stateRoot}/${name}`),
      ...(speaksV3 ? [`${dir}/state`] : []),
    ];
    await label(host, log, ['restorecon', '--', stateRoot, ...files]);
    const lists = (speaksV3 ? recordLists(hasCallout) : []).map((name) => `${dir}/${name}`);
    await label(host, log, ['restorecon', '-R', '--', `${stateRoot}/${recovery}`, ...lists]);
  }
  const isKnown = isNew || isOrderly || wasKept;
  return { isNew, v3Clients: statd.isOnRecord ? 'some' : isKnown ? 'none' : 'unknown' };
}
