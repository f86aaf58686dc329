/** A rollback journal that SQLite plays back, of no pages; it ends with the name of a file that is removed then. */
export function hotJournal(pagesOfDatabase: number, removes: string): Buffer {
  const magic = Buffer.from('d9d505f920a163d7', 'hex');
  const numbers = (...all: readonly number[]) => {
    const bytes = Buffer.alloc(4 * all.length);
    for (const [index, one] of all.entries()) bytes.writeUInt32BE(one, 4 * index);
    return bytes;
  };
  const [pageSize, sectorSize] = [4096, 512];
  const header = Buffer.concat([magic, numbers(0, 0, pagesOfDatabase, sectorSize, pageSize)]);
  const name = Buffer.from(removes);
  return Buffer.concat([
    header,
    Buffer.alloc(sectorSize - header.length),
    numbers(2 ** 30 / pageSize + 1),
    name,
    numbers(
      name.length,
      name.reduce((sum, byte) => sum + byte, 0),
    ),
    magic,
  ]);
}
