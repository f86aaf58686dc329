import project from '../package.json' with { type: 'json' };

/** The one version: of every agent's meta-data, of the command and of the packages. */
export const { version } = project;
