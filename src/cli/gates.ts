/** What may refuse a call, in the order in which it is met. */
const GATES = [
  'tool',
  'document',
  'hidden',
  'default',
  'action',
  'require',
  'deny_if',
  'arguments',
  'rules',
  'limits',
  'approval',
] as const;
/** The name of one. */
export type Gate = (typeof GATES)[number];

/** One gate on a call's way; `open` means that it let the call through. */
export type Passed = { readonly gate: Gate; readonly answer: 'open' | 'ask' | 'deny' | 'not reached' };

/** How far a call came: to the gate that answered, or through all of them. */
export const passedBy = (gate: Gate | undefined, answer: 'ask' | 'deny'): readonly Passed[] => {
  const stop = gate === undefined ? GATES.length : GATES.indexOf(gate);
  return GATES.map((name, index) => ({
    gate: name,
    answer: index < stop ? 'open' : index === stop ? answer : 'not reached',
  }));
};

/** The gate that a rule's id belongs to: `/tools/<tool>/<gate>/…`, `/all_tools/limits/…`, `/rules/<id>`, or a name in brackets. */
export const gateOf = (rule: string): Gate => {
  const [, top, second, third] = rule.split('/');
  if (top === 'rules' && third !== 'limits') return 'rules';
  const part = top === 'all_tools' ? second : third;
  return NAMED[rule] ?? GATES.find(gate => gate === part) ?? (part === 'rate_limit' ? 'limits' : 'arguments');
};

const NAMED: Readonly<Record<string, Gate>> = {
  '(no policy)': 'document',
  '(hidden)': 'hidden',
  '(default deny)': 'default',
  '(no rule)': 'rules',
};
