import type { Log } from '../../lib/contract/log.ts';
import { type Host, uptime } from '../../lib/host/host.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import type { Ctx } from './params.ts';

// A file in the state directory. Its blocks are room for what a move must write though the filesystem is full: nfsdcld's database
// above all. Its length says how the server before ended: 0 when this agent ended it and every NFSv3 record was kept.

const mebibytes = 4;
const patienceMs = 3000;

/** The server has ended; the room is for whoever starts it next. Never fails: at worst NFSv3 clients are waited for in vain. */
export async function noteEnd(
  host: Host,
  log: Log,
  { isOrderly }: { readonly isOrderly: boolean },
): Promise<void> {
  const job = isOrderly ? 'markOrderly' : 'giveRoom';
  await beneath(host, stateRoot, job, {}, { timeoutMs: patienceMs }).catch(({ message }: Error) =>
    log.warn(`how the server ended is not on record: ${message}`),
  );
}

type Look = { readonly at: number; readonly isFull: boolean };
const fact = 'room';

/** Takes the room, once the server serves; without room for it a move may cost locks, which a warning says. */
export async function takeRoom(ctx: Ctx): Promise<void> {
  const { host, log, memory } = ctx;
  const trouble = await beneath(
    host,
    stateRoot,
    'takeRoom',
    { bytes: mebibytes << 20 },
    { timeoutMs: patienceMs },
  ).then(
    () => undefined,
    ({ message }: Error) => message,
  );
  const isFull = trouble !== undefined;
  await memory.hint(fact, { at: await uptime(host), isFull } satisfies Look);
  if (isFull)
    log.warn(
      `no room for ${mebibytes} MiB in ${stateRoot}: clients may lose their locks in the next move (${trouble})`,
    );
}

/** Below this, statd and nfsdcld may fail to write down a client. */
const leastBytes = 1 << 20;
/** A steady monitor starts no process: it looks this often. */
const everySeconds = 60;

/** A monitor's look at the room in the state directory: warns while there is none, and takes the reserve once there is. */
export async function watchRoom(ctx: Ctx): Promise<void> {
  const { host, log, memory, request } = ctx;
  const last = await memory.fact<Look>(fact);
  const now = await uptime(host);
  const isDue = last === undefined || last.isFull || !(now - last.at < everySeconds) || request.depth > 0;
  if (!isDue) return;
  const bytes = await roomIn(host, stateRoot);
  if (bytes === undefined) return; // whether the storage answers is for others to judge
  const isFull = bytes < leastBytes;
  if (isFull)
    log.warn(
      `the filesystem of ${stateRoot} is full: clients that come now may lose their locks in the next move`,
    );
  else if (last?.isFull) {
    log.info(`there is room in ${stateRoot} again`);
    return takeRoom(ctx);
  }
  await memory.hint(fact, { at: now, isFull } satisfies Look);
}

/** Bytes that an ordinary user may write there. */
async function roomIn(host: Host, path: string): Promise<number | undefined> {
  const { code, stdout } = await host.tryRun(['stat', '-f', '-c', '%a %S', '--', path], {
    timeoutMs: patienceMs,
  });
  const [blocks = Number.NaN, size = Number.NaN] = stdout.trim().split(' ').map(Number);
  return code === 0 && !Number.isNaN(blocks * size) ? blocks * size : undefined;
}
