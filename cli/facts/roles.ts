import { type Element, attribute as of } from './xml.ts';

// Pacemaker 2.1 has other words for roles, and a configuration whose schema is older refuses them until `cibadmin --upgrade`.

const oldWords: { readonly [role: string]: string } = { Promoted: 'Master', Unpromoted: 'Slave' };

/** `pacemaker-3.6`; schema 3.7 brought the new words. What has no number is the newest, or none at all. */
function hasOldWords(cib: Element): boolean {
  const [, major, minor] = /^pacemaker-(\d+)\.(\d+)$/.exec(of(cib, 'validate-with')) ?? [];
  return major !== undefined && (Number(major) < 3 || (Number(major) === 3 && Number(minor) < 7));
}

export const promotedIn = (cib: Element): string => (hasOldWords(cib) ? 'Master' : 'Promoted');

/** The configuration with its roles in the words of its own schema. */
export const inOwnWords = (cib: Element): Element => (hasOldWords(cib) ? translated(cib) : cib);

const translated = ({ name, attributes, children }: Element): Element => ({
  name,
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      key,
      /^(with-)?(rsc-)?role$/.test(key) ? (oldWords[value] ?? value) : value,
    ]),
  ),
  children: children.map(translated),
});
