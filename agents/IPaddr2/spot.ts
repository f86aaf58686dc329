import type { Interface, Sighting } from '../../lib/host/net/addresses.ts';

/** Where the address is or will be: an interface, and the network there. */
export type Spot = {
  readonly link: Interface;
  readonly prefix: number;
  /** IPv4 only, and not where the interface has none. */
  readonly broadcast?: string;
};

export const spotOf = ({ link, address: { prefix, broadcast } }: Sighting): Spot => ({
  link,
  prefix,
  ...(broadcast !== undefined && { broadcast }),
});
