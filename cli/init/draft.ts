import type { z } from 'zod';
import type { configurationShape } from '../configuration/shape.ts';

/** What a configuration file is written of, before anybody has looked whether it is one. */
export type Draft = z.input<typeof configurationShape>;

/** A draft, and what the file cannot say: one sentence each, written above it. */
export type Drafted = { readonly draft: Draft; readonly notes: readonly string[] };
