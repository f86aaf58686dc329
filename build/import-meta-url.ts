import { pathToFileURL } from 'node:url';

/** CommonJS has no import.meta: what libraries written as ESM find in its place. */
export const importMetaUrl = /* @__PURE__ */ pathToFileURL(__filename).href;
