const MOST = 16;

/** Paths that a sound pattern means: of braces each alternative, of `**` something below it and something deeper. */
export const pathSamples = (pattern: string): readonly string[] => {
  const [, head = '', inner, tail = ''] = /^([^{]*)\{([^{}]*)\}(.*)$/.exec(pattern) ?? [];
  if (inner !== undefined)
    return inner
      .split(',')
      .flatMap(one => pathSamples(`${head}${one}${tail}`))
      .slice(0, MOST);
  const made = ['x', 'x/y'].map(below => pattern.replaceAll('**', below).replaceAll(/[*?]/g, 'x'));
  return [...new Set(made)];
};
