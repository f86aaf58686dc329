/** The only things that one node asks of another one. The first two change nothing. */
export const verbs = ['look', 'side', 'snapshot', 'connect', 'discard'] as const;
export type Verb = (typeof verbs)[number];
