import type { Host } from '../../lib/host/host.ts';

/**
 * Whether a process ignores every one of these signals (SigIgn in proc(5)), as an interactive shell does SIGTERM: no wait for it helps.
 * One that catches a signal has its reasons, and is none; nor is one that cannot be asked.
 */
export async function isDeafTo(host: Host, pid: number, signals: readonly number[]): Promise<boolean> {
  const status = await host.sys.read(`/proc/${pid}/status`).catch(() => '');
  const [, mask] = /^SigIgn:\s*([0-9a-f]{1,16})$/m.exec(status) ?? [];
  if (mask === undefined || signals.length === 0) return false;
  const ignored = BigInt(`0x${mask}`);
  return signals.every((signal) => ((ignored >> BigInt(signal - 1)) & 1n) === 1n);
}
