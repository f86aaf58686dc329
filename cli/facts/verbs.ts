/** The only things that one node asks of another one. The first three change nothing. */
export const verbs = ['look', 'side', 'events', 'snapshot', 'connect', 'discard'] as const;
export type Verb = (typeof verbs)[number];
