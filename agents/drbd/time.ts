import type { Host } from '../../lib/host/host.ts';
import type { Ctx } from './params.ts';

/** What finding the openers of a busy device may take of the action's time, in milliseconds. */
export const reserveMs = 1500;

/** Time for a command that must leave some for explaining its failure. */
export const withinReserve = ({ host }: Ctx) => ({ timeoutMs: untilReserve(host) });

export const untilReserve = (host: Host): number => Math.max(host.left() - reserveMs, host.left() / 2);

/** From this many seconds on a wait is worth a line in the log. */
export const notable = 1;

/** Whole seconds since a reading of the monotonic clock in milliseconds. */
export const secondsSince = ({ sys }: Host, ms: number): number => Math.round((sys.now() - ms) / 1000);
