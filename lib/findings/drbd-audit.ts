import type { Entry } from './entry.ts';

/** What the drbd agent looks for with validate-all at level 10, in a file of its own: an executable of an agent holds no more of the catalogue. */
export const drbdAudit = {
  FENCE_LEFT_BEHIND: {
    severity: 'warning',
    about: 'drbd',
    what: 'all data of {resource} is UpToDate, but {constraint} still forbids a node to be promoted',
    why: "DRBD's fence-peer handler left it, and the handler that takes it away did not run. The other node cannot take over.",
    fix: [`cibadmin --delete --xml-text '<rsc_location id="{constraint}"/>'`],
    see: 'left-behind',
  },
  DRBD_UNPROTECTED: {
    severity: 'warning',
    about: 'drbd',
    what: 'nothing prevents a split brain of {resource}: {reason}',
    why: 'A node that lost its peer may be promoted with data that is behind, and the data goes two ways. DRBD 9: quorum majority (three nodes) or fencing resource-and-stonith; 8.4: fencing resource-and-stonith; both with their handlers.',
    fix: ['drbdadm adjust {resource}   # after the change, on both nodes'],
    see: 'prevention',
  },
  DRBD_NO_FENCE_HANDLER: {
    severity: 'warning',
    about: 'drbd',
    what: 'fencing of {resource} is {fencing}, but there is no handler fence-peer: DRBD will refuse promotions',
    why: 'The policy asks for a handler that outdates or fences the peer; without it a lost peer means no promotion.',
    fix: ['drbdadm adjust {resource}   # after adding to handlers: fence-peer "/usr/lib/drbd/{script}"'],
    see: 'prevention',
  },
  DRBD_NO_UNFENCE_HANDLER: {
    severity: 'warning',
    about: 'drbd',
    what: '{resource} has a handler fence-peer but no {handler}: its constraint will stay for ever',
    why: 'After the first loss of a peer the other node can never be promoted again, until somebody deletes the constraint.',
    fix: ['drbdadm adjust {resource}   # after adding the handler {handler}'],
    see: 'prevention',
  },
  DRBD_HANDLER_MISSING: {
    severity: 'warning',
    about: 'drbd',
    what: 'handler {handler} of {resource} is not there: {program}',
    why: 'DRBD calls it when it matters, and nothing happens.',
    fix: ['ls -l {program}'],
    see: 'prevention',
  },
  DRBD_PROMOTE_TOO_SHORT: {
    severity: 'warning',
    about: 'drbd',
    what: 'promote of {resource} may take {given} s, its fence-peer handler alone {needed} s',
    why: 'The operation times out while the handler still works, and counts as failed.',
    fix: ['pcs resource update {id} op promote timeout={enough}s'],
    see: 'prevention',
  },
  DRBD_TWO_PRIMARIES: {
    severity: 'warning',
    about: 'drbd',
    what: 'allow-two-primaries is on for {resource}, although one instance is promoted',
    why: 'It is one mistake away from two writers on one filesystem.',
    fix: ['drbdadm adjust {resource}   # after taking allow-two-primaries out of its net section'],
    see: 'prevention',
  },
  DRBD_STRANGE_HOST: {
    severity: 'warning',
    about: 'drbd',
    what: 'DRBD host {host} of {resource} is no node of this cluster ({nodes})',
    why: 'Agent and handlers tell peers by their node names; fencing would reach nobody.',
    fix: ['crm_node -l'],
    see: 'prevention',
  },
} as const satisfies { readonly [code: string]: Entry };

export type AuditCode = keyof typeof drbdAudit;
