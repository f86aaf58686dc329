/** What Bun links or carries, by its own LICENSE.md of 1.4 and `process.versions`. */
export type Part = {
  readonly name: string;
  /** SPDX expression. */
  readonly licence: string;
  readonly copyright: string;
  readonly home: string;
  /** Where `process.versions` has its version or commit. */
  readonly version?: string;
};

const github = (path: string) => `https://github.com/${path}`;

export const bunParts: readonly Part[] = [
  // biome-ignore-start format: a table
  {
    name: 'JavaScriptCore',
    version: 'webkit',
    licence: 'LGPL-2.0-or-later AND BSD-2-Clause',
    copyright: 'Apple Inc. and the WebKit authors',
    home: github('oven-sh/WebKit'),
  },
  {
    name: 'tinycc',
    version: 'tinycc',
    licence: 'LGPL-2.1-or-later',
    copyright: '2001-2004 Fabrice Bellard and others',
    home: github('oven-sh/tinycc'),
  },
  {
    name: 'boringssl',
    version: 'boringssl',
    licence: 'Apache-2.0 AND ISC AND MIT',
    copyright: 'the OpenSSL project authors, Google Inc. and others',
    home: 'https://boringssl.googlesource.com/boringssl/',
  },
  {
    name: 'brotli',
    licence: 'MIT',
    copyright: '2009, 2010, 2013-2016 the Brotli authors',
    home: github('google/brotli'),
  },
  {
    name: 'c-ares',
    version: 'ares',
    licence: 'MIT',
    copyright: '1998 Massachusetts Institute of Technology; 2007-2023 Daniel Stenberg and many contributors',
    home: github('c-ares/c-ares'),
  },
  {
    name: 'highway',
    licence: 'Apache-2.0',
    copyright: 'Google LLC and others',
    home: github('google/highway'),
  },
  {
    name: 'icu',
    version: 'icu',
    licence: 'Unicode-3.0',
    copyright: '1991-2026 Unicode, Inc.; 1995-2016 International Business Machines Corporation and others',
    home: github('unicode-org/icu'),
  },
  {
    name: 'libarchive',
    version: 'libarchive',
    licence: 'BSD-2-Clause',
    copyright: '2003-2018 Tim Kientzle and others',
    home: github('libarchive/libarchive'),
  },
  {
    name: 'libbase64',
    licence: 'BSD-2-Clause',
    copyright:
      '2005-2007 Nick Galbreath; 2015-2018 Wojciech Muła; 2016-2017 Matthieu Darbois; 2013-2022 Alfred Klomp',
    home: github('aklomp/base64'),
  },
  {
    name: 'libc++abi (__cxa_thread_atexit)',
    licence: 'Apache-2.0 WITH LLVM-exception',
    copyright: 'the LLVM project',
    home: github('llvm/llvm-project'),
  },
  {
    name: 'libdeflate',
    version: 'libdeflate',
    licence: 'MIT',
    copyright: '2016 Eric Biggers; 2024 Google LLC',
    home: github('ebiggers/libdeflate'),
  },
  {
    name: 'libjpeg-turbo',
    licence: 'IJG AND BSD-3-Clause AND Zlib',
    copyright: '1991-2020 Thomas G. Lane, Guido Vollbeding; 2009-2025 D. R. Commander and others',
    home: github('libjpeg-turbo/libjpeg-turbo'),
  },
  {
    name: 'libspng',
    licence: 'BSD-2-Clause',
    copyright: '2018-2023 Randy',
    home: github('randy408/libspng'),
  },
  {
    name: 'libwebp',
    licence: 'BSD-3-Clause',
    copyright: '2010 Google Inc.',
    home: github('webmproject/libwebp'),
  },
  {
    name: 'llhttp',
    version: 'llhttp',
    licence: 'MIT',
    copyright: '2018 Fedor Indutny',
    home: github('nodejs/llhttp'),
  },
  {
    name: 'lol-html',
    version: 'lolhtml',
    licence: 'BSD-3-Clause',
    copyright: '2019 Cloudflare, Inc.',
    home: github('cloudflare/lol-html'),
  },
  {
    name: 'ls-hpack',
    version: 'lshpack',
    licence: 'MIT',
    copyright: '2018-2023 LiteSpeed Technologies Inc',
    home: github('litespeedtech/ls-hpack'),
  },
  {
    name: 'ls-qpack',
    licence: 'MIT',
    copyright: '2018-2023 LiteSpeed Technologies Inc',
    home: github('litespeedtech/ls-qpack'),
  },
  {
    name: 'lsquic',
    licence: 'MIT AND BSD-3-Clause',
    copyright: '2017-2023 LiteSpeed Technologies Inc; parts 2012-2015 the Chromium authors',
    home: github('litespeedtech/lsquic'),
  },
  {
    name: 'mimalloc',
    version: 'mimalloc',
    licence: 'MIT',
    copyright: '2018-2025 Microsoft Corporation, Daan Leijen',
    home: github('microsoft/mimalloc'),
  },
  {
    name: 'picohttpparser',
    version: 'picohttpparser',
    licence: 'MIT',
    copyright: '2009-2014 Kazuho Oku, Tokuhiro Matsuno, Daisuke Murase, Shigeo Mitsunari',
    home: github('h2o/picohttpparser'),
  },
  {
    name: 'simdutf',
    licence: 'Apache-2.0',
    copyright: '2021 the simdutf authors',
    home: github('simdutf/simdutf'),
  },
  {
    name: 'sqlite',
    version: 'sqlite',
    licence: 'blessing',
    copyright: 'none: the authors have given it to the public',
    home: 'https://sqlite.org/',
  },
  {
    name: 'TigerBeetle (IO)',
    licence: 'Apache-2.0',
    copyright: 'TigerBeetle, Inc.',
    home: github('tigerbeetle/tigerbeetle'),
  },
  {
    name: 'uSockets',
    version: 'usockets',
    licence: 'Apache-2.0',
    copyright: '2018-2024 Alex Hultman and contributors',
    home: github('uNetworking/uSockets'),
  },
  { name: 'uucode', licence: 'MIT', copyright: '2025 Jacob Sandlund', home: github('jacobsandlund/uucode') },
  {
    name: 'uWebSockets',
    version: 'uwebsockets',
    licence: 'Apache-2.0',
    copyright: '2017-2024 Alex Hultman and contributors',
    home: github('uNetworking/uWebSockets'),
  },
  {
    name: 'Zig standard library',
    version: 'zig',
    licence: 'MIT',
    copyright: 'Zig contributors',
    home: github('oven-sh/zig'),
  },
  {
    name: 'zlib-ng',
    version: 'zlib',
    licence: 'Zlib',
    copyright: '1995-2024 Jean-loup Gailly and Mark Adler',
    home: github('zlib-ng/zlib-ng'),
  },
  {
    name: 'zstd',
    version: 'zstd',
    licence: 'BSD-3-Clause',
    copyright: 'Meta Platforms, Inc. and affiliates',
    home: github('facebook/zstd'),
  },
  { name: 'esbuild (ported)', licence: 'MIT', copyright: '2020 Evan Wallace', home: github('evanw/esbuild') },
  // biome-ignore-end format: a table
  ...[
    ...['acorn', 'acorn-walk', 'assert', 'browserify-zlib', 'buffer', 'constants-browserify'],
    ...['crypto-browserify', 'domain-browser', 'events', 'https-browserify', 'os-browserify'],
    ...['path-browserify', 'process', 'punycode', 'querystring-es3', 'stream-browserify', 'stream-http'],
    ...['string_decoder', 'timers-browserify', 'tty-browserify', 'url', 'util', 'vm-browserify'],
  ].map((name) => ({
    name,
    licence: 'MIT',
    copyright: 'its authors',
    home: `https://www.npmjs.com/package/${name}`,
  })),
];

/** In `process.versions`, but no part: what Bun is compatible with. */
export const onlyNumbers = [
  'bun',
  'node',
  'modules',
  'napi',
  'openssl',
  'typescript',
  'unicode',
  'uv',
  'v8',
] as const;
