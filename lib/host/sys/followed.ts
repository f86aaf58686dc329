import type { Source } from './children.ts';
import type { Followed } from './sys.ts';

/** The output of a process, piece by piece. One that cannot run tells nothing. */
export async function followed(
  begin: (onText: (text: string) => void) => Promise<Source>,
  onEnd: () => void,
): Promise<Followed> {
  let said = '';
  let wake = () => {};
  const source = await begin((text) => {
    said += text;
    wake();
  }).catch(() => undefined);
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
      source?.kill();
      source?.close();
    },
  };
}
