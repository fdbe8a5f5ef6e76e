/** What a rule may speak of, each an action that a tool declares before anything happens. */
export const ACTIONS = ['exec', 'shell', 'input', 'read', 'write', 'list', 'delete', 'forward', 'configure'] as const;
/** One of them. */
export type ActionName = (typeof ACTIONS)[number];

/** Those that are about a file. */
export const FILE_ACTIONS: readonly string[] = ['read', 'write', 'list', 'delete'];

/** As a rule is written: what it names, or all that it could mean. */
export type Spoken = {
  readonly effect?: unknown;
  readonly actions?: unknown;
  readonly commands?: unknown;
};

/** The actions of a rule: those it names, else `exec` for one with commands, else every one for a deny. */
export const actionsOf = ({ effect, actions, commands }: Spoken): readonly string[] => {
  if (Array.isArray(actions)) return actions.filter(action => typeof action === 'string');
  if (commands !== undefined) return ['exec'];
  return effect === 'deny' ? ACTIONS : [];
};
