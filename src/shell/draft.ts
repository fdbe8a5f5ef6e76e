import type { Trouble } from './cursor.ts';
import type { Token } from './lexer.ts';
import { isReserved, troubleWithName } from './name.ts';
import {
  type Join,
  type Literal,
  MAX_COMMANDS,
  MAX_WORDS,
  type Pipeline,
  type Redirect,
  type Script,
  type Simple,
  type Word,
} from './script.ts';

/** What has been read of a script so far. */
export type Draft = {
  readonly pipelines: Pipeline[];
  join: Join;
  commands: Simple[];
  name: Literal | undefined;
  operands: Word[];
  redirects: Redirect[];
  /** After `&>`: a shell that does not know it ends the command at its `&`. */
  closed: boolean;
  /** The operator that still needs a command on its right. */
  pending: Trouble | undefined;
  wordCount: number;
  commandCount: number;
};

/** Nothing yet. */
export const newDraft = (): Draft => ({
  pipelines: [],
  join: ';',
  commands: [],
  name: undefined,
  operands: [],
  redirects: [],
  closed: false,
  pending: undefined,
  wordCount: 0,
  commandCount: 0,
});

/** Takes the next token in, or says why it cannot stand there. */
export const extend = (draft: Draft, token: Token): Trouble | undefined => {
  switch (token.kind) {
    case 'word':
      return addWord(draft, token);
    case 'redirect':
      draft.redirects.push(...token.redirects);
      draft.closed ||= token.redirects.length > 1;
      return count(draft, token.at);
    case 'pipe':
      return closeCommand(draft, token.at) ?? expectMore(draft, token.at);
    case 'join':
      return (
        closePipeline(draft, token.at, token.join) ?? (token.join === ';' ? undefined : expectMore(draft, token.at))
      );
    case 'newline':
    case 'end':
      return isEmpty(draft) ? undefined : closePipeline(draft, token.at, ';');
  }
};

/** The whole script, once its end has been taken in. */
export const finish = ({ pipelines, pending }: Draft): Script | Trouble => {
  const [first, ...rest] = pipelines;
  if (pending !== undefined) return pending;
  return first === undefined ? { construct: 'nothing to run', at: 0 } : { pipelines: [first, ...rest] };
};

const addWord = (draft: Draft, { word, bare, at }: Extract<Token, { kind: 'word' }>): Trouble | undefined => {
  if (draft.closed) return { construct: 'a redirection of this form', at };
  if (draft.name !== undefined) {
    draft.operands.push(word);
    return count(draft, at);
  }
  if (!word.whole) return { construct: 'a command name of this form', at };
  if (bare && isReserved(word.text)) return { construct: 'a reserved word', at };
  const construct = troubleWithName(word.text);
  if (construct !== undefined) return { construct, at };
  draft.name = word;
  return count(draft, at);
};

const count = (draft: Draft, at: number): Trouble | undefined => {
  draft.wordCount += 1;
  return draft.wordCount > MAX_WORDS ? { construct: 'a text that is too long', at } : undefined;
};

const isEmpty = ({ name, redirects }: Draft): boolean => name === undefined && redirects.length === 0;

const closeCommand = (draft: Draft, at: number): Trouble | undefined => {
  const { name, operands, redirects } = draft;
  if (name === undefined) {
    const opened = redirects[0];
    return opened === undefined
      ? { construct: 'an operator without a command', at }
      : { construct: 'a redirection without a command', at: opened.at };
  }
  draft.commandCount += 1;
  if (draft.commandCount > MAX_COMMANDS) return { construct: 'a text that is too long', at: name.at };
  draft.commands.push({ words: [name, ...operands], redirects });
  draft.name = undefined;
  draft.operands = [];
  draft.redirects = [];
  draft.closed = false;
  draft.pending = undefined;
  return undefined;
};

const closePipeline = (draft: Draft, at: number, next: Join): Trouble | undefined => {
  const trouble = closeCommand(draft, at);
  const [first, ...rest] = draft.commands;
  if (trouble !== undefined || first === undefined) return trouble;
  draft.pipelines.push({ join: draft.join, commands: [first, ...rest] });
  draft.commands = [];
  draft.join = next;
  return undefined;
};

const expectMore = (draft: Draft, at: number): undefined => {
  draft.pending = { construct: 'an operator without a command', at };
};
