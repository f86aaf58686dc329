import type { ChildProcess } from 'node:child_process';
import { killTree } from './process-tree.ts';
import type { Followed } from './sys.ts';

/** The output of a process, piece by piece. It keeps nobody waiting: neither the process nor its pipe holds the event loop. */
export function followed(child: ChildProcess, onEnd: () => void): Followed {
  let said = '';
  let wake = () => {};
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    wake();
  });
  child.stdout?.on('error', () => {});
  child.on('error', () => {}); // one that cannot run tells nothing
  child.unref();
  return {
    async next(withinMs) {
      if (said === '')
        await new Promise<void>((resolve) => {
          const clock = setTimeout(resolve, withinMs);
          wake = () => {
            clearTimeout(clock);
            resolve();
          };
        });
      const text = said;
      said = '';
      return text;
    },
    end() {
      onEnd();
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        killTree(child.pid);
      child.stdout?.destroy();
    },
  };
}
