import { stateDir } from '../../lib/host/memory.ts';
import { fileNameOf } from '../../lib/host/sys/file-names.ts';
import type { Ctx } from './params.ts';

const prefix = ({ host }: Ctx): string => `${stateDir(host.sys.env)}/waiting-`;

/** The directory that takes an export's place in etab for a while (quiet.ts). */
export const placeholder = (ctx: Ctx): string => `${prefix(ctx)}${fileNameOf(ctx.request.instance)}`;

/** Of any resource. */
export const isPlaceholder = (ctx: Ctx, path: string): boolean => path.startsWith(prefix(ctx));
