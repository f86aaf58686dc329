/** The only things that one node asks of another one. The first four change nothing. */
export const verbs = [
  'look',
  'side',
  'agents',
  'events',
  'snapshot',
  'connect',
  'hangup',
  'discard',
] as const;
export type Verb = (typeof verbs)[number];
