import type { z } from 'zod';
import type { Call } from '../command.ts';
import { CommandError } from '../exit.ts';
import { understood } from '../facts/other-node.ts';
import { say } from '../output/words.ts';
import { drbdWords } from './words.ts';

/** What the other node said, or why it said nothing, as what ends this command. */
export const peerRefuses = ({ terminal }: Call, peer: string, why: string): CommandError =>
  new CommandError('broken', say(drbdWords(terminal.language).peerRefuses, { peer, why }));

/** What tsha of the other node answered with; throws `CommandError` for what is none. */
export function answerOfPeer<T>(call: Call, peer: string, text: string, shape: z.ZodType<T>): T {
  const answer = understood(peer, text, shape);
  if (answer.is === 'unknown') throw peerRefuses(call, peer, answer.why);
  return answer.value;
}
