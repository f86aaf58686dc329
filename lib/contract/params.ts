type Common = {
  /** One line; the long text lives in `metadata/<language>/`. */
  readonly short: string;
  readonly required?: true;
  /** Parameters of one group must be unique together among the resources of one type. */
  readonly uniqueGroup?: string;
  /** A change is applied by `reload-agent`, without a restart. */
  readonly reloadable?: true;
  /** A reload fails that cannot apply it, and does not go on with the value before: somebody may have taken back what that allows. */
  readonly mustApply?: true;
};

export type ParamSpec = Common &
  (
    | {
        readonly type: 'string';
        readonly default?: string;
        /** An empty value is a value of its own ("do not"), not the same as unset. */
        readonly mayBeEmpty?: true;
      }
    | { readonly type: 'boolean'; readonly default?: boolean }
    | { readonly type: 'integer'; readonly default?: number; readonly min?: number; readonly max?: number }
    | { readonly type: 'select'; readonly options: readonly string[]; readonly default?: string }
  );

export type ParamTable = { readonly [name: string]: ParamSpec };

type ValueOf<P extends ParamSpec> = P extends { type: 'boolean' }
  ? boolean
  : P extends { type: 'integer' }
    ? number
    : P extends { type: 'select'; options: readonly (infer O)[] }
      ? O
      : string;

type IsPresent<P extends ParamSpec> = P extends { required: true } | { default: unknown } ? true : false;

/** The typed values of a table: optional parameters without a default may be `undefined`. */
export type Params<T extends ParamTable> = {
  readonly [K in keyof T]: IsPresent<T[K]> extends true ? ValueOf<T[K]> : ValueOf<T[K]> | undefined;
};

type DefaultIsAnOption<T> = {
  [K in keyof T]: T[K] extends { type: 'select'; options: readonly (infer O)[] } ? { default?: O } : unknown;
};

/** Declares an agent's parameters; the argument's literal types become the parameters' types. */
export const paramTable = <const T extends ParamTable>(table: T & DefaultIsAnOption<T>): T => table;

/**
 * Raw values as the environment gives them, by parameter name; an empty value counts as unset, as in the shell's `:-`, except
 * where the table says `mayBeEmpty`.
 */
export type RawParams = { readonly [name: string]: string };

export type ReadParams<T extends ParamTable> = {
  /** What could be read; a value that could not is its default. Only complete when `missing` is empty. */
  readonly params: Params<T>;
  readonly missing: readonly string[];
  readonly problems: readonly string[];
};

/** The parameters of `table` that `env` sets, still as text. */
export function rawParams(table: ParamTable, env: NodeJS.ProcessEnv): RawParams {
  const raw: Record<string, string> = {};
  for (const [name, spec] of Object.entries(table)) {
    const value = env[`OCF_RESKEY_${name}`];
    const mayBeEmpty = spec.type === 'string' && spec.mayBeEmpty;
    if (value !== undefined && (value !== '' || mayBeEmpty)) raw[name] = value;
  }
  return raw;
}

/** Reads every parameter it can and reports the rest: how bad that is, depends on the action (`policy.ts`). */
export function readParams<T extends ParamTable>(table: T, raw: RawParams): ReadParams<T> {
  const missing: string[] = [];
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(table)) {
    const text = raw[name];
    if (text === undefined) {
      if (spec.required) missing.push(name);
      values[name] = spec.default;
      continue;
    }
    const read = readValue(spec, text);
    if ('wanted' in read) problems.push(`parameter ${name}="${text}" is not ${read.wanted}`);
    values[name] = 'wanted' in read ? spec.default : read.value;
  }
  return { params: values as Params<T>, missing, problems }; // the one cast: rows were read by the same table that types them
}

type Read = { readonly value: unknown } | { readonly wanted: string };

/** OCF's words (`ja` is one of them), in any letter case. */
const truth: ReadonlyMap<string, boolean> = new Map([
  ...['yes', 'true', '1', 'ja', 'on', 'y', 't'].map((word) => [word, true] as const),
  ...['no', 'false', '0', 'nein', 'off', 'n', 'f'].map((word) => [word, false] as const),
]);

/** `undefined` for a word that is neither a yes nor a no. */
export const readBoolean = (text: string): boolean | undefined => truth.get(text.toLowerCase());

function readValue(spec: ParamSpec, text: string): Read {
  switch (spec.type) {
    case 'string':
      return { value: text };
    case 'boolean': {
      const value = readBoolean(text);
      return value === undefined ? { wanted: 'a yes or a no' } : { value };
    }
    case 'select':
      return spec.options.includes(text) ? { value: text } : { wanted: `one of ${spec.options.join(', ')}` };
    case 'integer': {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = spec;
      return value >= min && value <= max ? { value } : { wanted: wantedInteger(spec) };
    }
  }
}

function wantedInteger({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min !== undefined && max !== undefined) return `a whole number from ${min} to ${max}`;
  if (min !== undefined) return `a whole number of at least ${min}`;
  if (max !== undefined) return `a whole number of at most ${max}`;
  return 'a whole number';
}
