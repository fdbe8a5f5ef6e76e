/** What `ssh -G` printed: each keyword in lower case, with its values in order. */
export type Answer = {
  /** The first value, which is the one that counts for most keywords; undefined for none and for `none`. */
  readonly get: (keyword: string) => string | undefined;
  readonly all: (keyword: string) => readonly string[];
};

/** Reads what `ssh -G` printed. */
export const readAnswer = (text: string): Answer => {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const keyword = line.slice(0, space).toLowerCase();
    values.set(keyword, [...(values.get(keyword) ?? []), line.slice(space + 1)]);
  }
  const all = (keyword: string): readonly string[] => values.get(keyword) ?? [];
  return {
    all,
    get: keyword => {
      const [first] = all(keyword);
      return first === 'none' || first === '' ? undefined : first;
    },
  };
};
