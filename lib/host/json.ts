import { Failure } from '../contract/outcome.ts';

/**
 * What a tool answered with `-j`. `isIt` looks at every field that is used later. Throws `Failure` for anything else, cut short or
 * another version's: it does not say that nothing is there.
 */
export function readJson<T>(text: string, command: string, isIt: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Failure('failed', `${command} answered with what is no JSON: ${shortened(text)}`);
  }
  if (isIt(value)) return value;
  throw new Failure('failed', `${command} answered with what tsha does not understand: ${shortened(text)}`);
}

const shortened = (text: string): string => (text === '' ? 'nothing' : text.slice(0, 200));

export type Json = { readonly [key: string]: unknown };
type Kind = 'string' | 'number' | 'boolean' | 'list';

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Own fields of these kinds; those with a question mark in their name may be missing. */
export const hasFields = (value: unknown, fields: { readonly [name: string]: Kind }): value is Json =>
  isObject(value) &&
  Object.entries(fields).every(([field, kind]) => {
    const name = field.replace(/\?$/, '');
    if (!Object.hasOwn(value, name)) return name !== field;
    return kind === 'list' ? Array.isArray(value[name]) : typeof value[name] === kind;
  });

export const isListOf =
  <T>(isOne: (value: unknown) => value is T) =>
  (value: unknown): value is readonly T[] =>
    Array.isArray(value) && value.every(isOne);

export const isText = (value: unknown): value is string => typeof value === 'string';
