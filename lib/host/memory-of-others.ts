import { textOf } from './sys/bytes.ts';
import { fileNameOf } from './sys/file-names.ts';
import type { Sys } from './sys/sys.ts';

/** What one agent's other instances have noted: of the files in our directory below /run those that begin with its name, but `own`. */
export async function othersOf<Page>(
  sys: Sys,
  dir: string,
  agent: string,
  own: string,
  page: (file: string) => Promise<Page>,
): Promise<readonly (Page & { readonly instance: string })[]> {
  const names = (await sys.list(dir).catch(() => [])).filter(
    (name) => name.startsWith(`${agent}-`) && name.endsWith('.json') && `${dir}/${name}` !== own,
  );
  return Promise.all(
    names.map(async (name) => ({
      ...(await page(`${dir}/${name}`)),
      instance: textOfFileName(name.slice(agent.length + 1, -'.json'.length)),
    })),
  );
}

/** What an instance is called among the others: its name, of one that is too long for a file's the beginning and a hash. */
export const nameAmongOthers = (instance: string): string => textOfFileName(fileNameOf(instance));

/** The text that `fileNameOf` made a name of; of one that was too long its beginning. Any other name comes back as it is. */
export const textOfFileName = (name: string): string =>
  textOf(
    Buffer.from(
      name.replace(/%([0-9A-F]{2})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      ),
      'latin1',
    ),
  );
