export const flavours = ['script', 'native'] as const;
export type Flavour = (typeof flavours)[number];
