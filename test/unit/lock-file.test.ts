import { expect, test } from 'vitest';
import lock from '../../package-lock.json' with { type: 'json' };

type Locked = {
  readonly version?: string;
  readonly optionalDependencies?: { readonly [name: string]: string };
};

// `npm ci` refuses a lock file without them, and `npm install` drops those that a registry does not carry.
test('the lock file knows every optional dependency, those for other platforms too', () => {
  const packages = lock.packages as unknown as { readonly [path: string]: Locked };
  const paths = Object.keys(packages);
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !paths.some((other) => other.endsWith(`node_modules/${name}`)))
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});
