import { createHash } from 'node:crypto';
import { sourceDate, version } from '../version.ts';
import { bunParts } from './bun-parts.ts';
import type { NpmPackage } from './npm-packages.ts';

export const sbomFile = 'sbom.cdx.json';

/** The bill of materials as CycloneDX 1.6: npm's packages, and of the native flavour Bun and what it links, which no lock file knows. */
export function sbom(packages: readonly NpmPackage[], bun?: Readonly<Record<string, string>>): string {
  const components = [
    ...packages.map(({ name, version, licence }) => ({
      type: 'library',
      'bom-ref': `npm:${name}@${version}`,
      name,
      version,
      licenses: [{ expression: licence }],
      purl: `pkg:npm/${encodeURIComponent(name).replace('%2F', '/')}@${version}`,
    })),
    ...(bun ? bunComponents(bun) : []),
  ];
  const ref = `tsha@${version}`;
  const root = {
    type: 'application',
    'bom-ref': ref,
    name: 'tsha',
    version,
    licenses: [{ expression: 'MIT' }],
  };
  const direct = components.map((one) => one['bom-ref']).filter((one) => !one.startsWith('bun:'));
  const body = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(sourceDate() * 1000).toISOString().replace('.000Z', 'Z'),
      component: root,
    },
    components,
    dependencies: [
      { ref, dependsOn: direct },
      ...(bun ? [{ ref: `bun@${bun['bun']}`, dependsOn: bunParts.map(({ name }) => `bun:${name}`) }] : []),
    ],
  };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(body))}`;
  return `${JSON.stringify({ ...body, serialNumber }, null, 2)}\n`;
}

const bunComponents = (bun: Readonly<Record<string, string>>) => [
  {
    type: 'platform',
    'bom-ref': `bun@${bun['bun']}`,
    name: 'bun',
    version: bun['bun'] ?? '',
    licenses: [{ expression: 'MIT' }],
    purl: `pkg:github/oven-sh/bun@bun-v${bun['bun']}`,
  },
  ...bunParts.map(({ name, licence, home, version }) => ({
    type: 'library',
    'bom-ref': `bun:${name}`,
    name,
    // those of which Bun tells no version go with its own
    version: (version && bun[version]) || `bun-${bun['bun']}`,
    // "blessing" is SPDX' name for SQLite's
    licenses: [{ expression: licence }],
    externalReferences: [{ type: 'vcs', url: home }],
  })),
];

/** The same content has the same number: version 8, made of a hash. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
