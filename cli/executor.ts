/** What Pacemaker's executor tells every agent, beside its parameters. */
export const executorEnvironment = (instance: string, provider: string) => ({
  OCF_ROOT: '/usr/lib/ocf',
  OCF_RA_VERSION_MAJOR: '1',
  OCF_RA_VERSION_MINOR: '1',
  OCF_RESOURCE_INSTANCE: instance,
  OCF_RESOURCE_PROVIDER: provider,
});
