/** A pattern over path components: `**` is any number of them, `*` and `?` stay inside one, `{a,b}` is either. */
export type PathPattern = {
  /** Whether this word is such a path: `//` and `/./` count as `/`, `..` never matches. */
  readonly test: (text: string) => boolean;
  /** Whether everything below this folder is such a path. */
  readonly covers: (folder: string) => boolean;
  /** Whether anything below this folder may be such a path. */
  readonly reaches: (folder: string) => boolean;
  /** Whether some word that begins so may be such a path. */
  readonly may: (prefix: string) => boolean;
  readonly absolute: boolean;
};

type Component = { readonly kind: 'deep' } | { readonly kind: 'exact'; readonly text: string } | Glob;
type Glob = { readonly kind: 'glob'; readonly text: string };
type Line = { readonly components: readonly Component[]; readonly folder: string; readonly open: boolean };

const MAX_LINES = 256;

/** A compiled pattern, or what is wrong with it; absolute when it begins with `/`. */
export const compilePath = (pattern: string): PathPattern | string => {
  const texts = expandBraces(pattern);
  if (typeof texts === 'string') return texts;
  const lines: Line[] = [];
  for (const text of texts) {
    const line = readLine(text);
    if (typeof line === 'string') return line;
    lines.push(line);
  }
  const absolute = lines.every(line => line.folder.startsWith('/'));
  if (!absolute && lines.some(line => line.folder.startsWith('/')))
    return 'Write absolute or relative paths, not both.';
  return {
    test: text => lines.some(line => isPlainlyBelow(line, text)) || testSlowly(lines, text, absolute),
    covers: folder =>
      testSlowly(
        lines.filter(line => line.components.at(-1)?.kind === 'deep'),
        folder,
        absolute,
      ),
    reaches: folder => {
      const parts = partsOf(folder, absolute);
      return parts === undefined || lines.some(line => goesOn(line.components, parts));
    },
    may: prefix => (absolute ? lines.some(line => mayBegin(line, prefix)) : !/^[-/~]/.test(prefix)),
    absolute,
  };
};

const expandBraces = (pattern: string): readonly string[] | string => {
  let texts = [pattern];
  for (let round = 0; texts.some(text => text.includes('{')); round += 1) {
    if (texts.length > MAX_LINES || round > 8) return 'This stands for more than 256 paths.';
    const next: string[] = [];
    for (const text of texts) {
      const found = /^([^{]*)\{([^{}]*)\}(.*)$/.exec(text);
      if (found === null && text.includes('{')) return 'Close every "{" with "}", and put none inside another.';
      const [, head = '', inner = '', tail = ''] = found ?? [];
      next.push(...(found === null ? [text] : inner.split(',').map(each => head + each + tail)));
    }
    texts = next;
  }
  return texts.some(text => text.includes('}')) ? 'There is no "{" for this "}".' : texts;
};

const readLine = (text: string): Line | string => {
  if (text === '') return 'Write the folder or file.';
  if (/[[\]]/.test(text)) return 'A path pattern has * ** ? {a,b}, and no sets.';
  const absolute = text.startsWith('/');
  const components: Component[] = [];
  for (const part of text.split('/').filter(each => each !== '' && each !== '.')) {
    if (part === '..') return 'A path pattern has no "..".';
    if (part === '**') components.push({ kind: 'deep' });
    else if (part.includes('**')) return '"**" stands alone between slashes.';
    else components.push({ kind: /[*?]/.test(part) ? 'glob' : 'exact', text: part });
  }
  const end = components.findIndex(each => each.kind !== 'exact');
  const plain = components.slice(0, end === -1 ? undefined : end);
  const folder = (absolute ? '/' : '') + plain.map(each => (each.kind === 'deep' ? '' : each.text)).join('/');
  const open = end === components.length - 1 && components[end]?.kind === 'deep';
  return { components, folder, open };
};

/** The usual case without taking the path apart: `/var/log/**` and a word below it that needs no folding. */
const isPlainlyBelow = (line: Line, text: string): boolean =>
  line.open &&
  line.folder.length > 1 &&
  text.length > line.folder.length + 1 &&
  text.startsWith(line.folder) &&
  text.charAt(line.folder.length) === '/' &&
  !text.includes('/.') &&
  !text.includes('//');

const testSlowly = (lines: readonly Line[], text: string, absolute: boolean): boolean => {
  const parts = partsOf(text, absolute);
  return parts !== undefined && lines.some(line => matchParts(line.components, parts));
};

const partsOf = (text: string, absolute: boolean): readonly string[] | undefined => {
  if (absolute ? !text.startsWith('/') || text.startsWith('//') : text === '' || /^[-/~]/.test(text)) return undefined;
  const parts = text.split('/').filter(part => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : parts;
};

/** Greedy, going back to the latest `**` only: its cost is at most components × parts. */
const matchParts = (components: readonly Component[], parts: readonly string[]): boolean => {
  let [component, part, deep, resume] = [0, 0, -1, 0];
  while (part < parts.length) {
    const here = components[component];
    if (here?.kind === 'deep') {
      [deep, resume] = [component, part];
      component += 1;
    } else if (here !== undefined && matchPart(here, parts[part] ?? '')) {
      component += 1;
      part += 1;
    } else if (deep !== -1) {
      resume += 1;
      [component, part] = [deep + 1, resume];
    } else return false;
  }
  while (components[component]?.kind === 'deep') component += 1;
  return component === components.length;
};

/** Whether some more parts behind these make a path of these components. */
const goesOn = (components: readonly Component[], parts: readonly string[]): boolean =>
  components.some(
    ({ kind }, index) =>
      matchParts(components.slice(0, index), parts) ||
      (kind === 'deep' && matchParts(components.slice(0, index + 1), parts)),
  );

const matchPart = (component: Exclude<Component, { kind: 'deep' }>, part: string): boolean =>
  component.kind === 'exact' ? component.text === part : matchRun(component.text, part);

/**
 * Whether the whole text is this pattern of `*` (any run) and `?` (any one character, a byte that is no UTF-8 included); at most
 * pattern × text steps.
 */
export const matchRun = (pattern: string, text: string): boolean => {
  let [p, t, star, resume] = [0, 0, -1, 0];
  while (t < text.length) {
    const here = pattern.charAt(p);
    if (here === '*') {
      [star, resume] = [p, t];
      p += 1;
    } else if (here !== '' && (here === '?' || here === text.charAt(t))) {
      p += 1;
      t += here === '?' && isPair(text, t) ? 2 : 1;
    } else if (star !== -1) {
      resume += 1;
      [p, t] = [star + 1, resume];
    } else return false;
  }
  while (pattern.charAt(p) === '*') p += 1;
  return p === pattern.length;
};

const isPair = (text: string, at: number): boolean => (text.codePointAt(at) ?? 0) > 0xffff;

const mayBegin = (line: Line, prefix: string): boolean => {
  const folded = prefix.replace(/\/(?:\.?\/)+/g, '/');
  return folded.includes('/.') || line.folder.startsWith(folded) || folded.startsWith(line.folder);
};
