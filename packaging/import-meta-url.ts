import { pathToFileURL } from 'node:url';

/** CommonJS has no import.meta: what libraries written as ESM find in its place. Left out of a bundle that does not ask for it. */
export const importMetaUrl = /* @__PURE__ */ (() => pathToFileURL(__filename).href)();
