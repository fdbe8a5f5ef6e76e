import type { Prompt } from 'ssh2';
import type { Answer } from '../host.ts';
import type { Secret } from '../secret.ts';

/** Answers the questions of keyboard-interactive (RFC 4256), all of one request or none. */
export type Answering = (questions: readonly Prompt[]) => Promise<readonly string[]>;

/** A password for one hidden question, once; anything else is not for it to answer. */
export const answerOnce = (password: string): Answering => {
  const left = [password];
  return async questions => (questions.length === 1 && questions[0]?.echo !== true ? left.splice(0) : []);
};

/**
 * Each question is given the answer whose words stand in it, the longest when there are several; each answer once a login,
 * fetched when it is needed. `unanswered` hears the question that ended it, which the host wrote.
 */
export const answerByWords = (answers: readonly Answer[], unanswered: (question: string) => void): Answering => {
  const given = new Set<Answer>();
  return async questions => {
    const chosen: Secret[] = [];
    for (const { prompt } of questions) {
      const answer = longest(answers.filter(one => !given.has(one) && asksIn(prompt, one.asks)));
      if (answer === undefined) {
        unanswered(prompt);
        return [];
      }
      given.add(answer);
      chosen.push(answer.answer);
    }
    const texts: string[] = [];
    for (const secret of chosen) texts.push(await secret.reveal());
    return texts;
  };
};

const longest = (answers: readonly Answer[]): Answer | undefined =>
  answers.toSorted((one, other) => other.asks.length - one.asks.length)[0];

const WORD = /[\p{L}\p{N}]+/gu;

/** Whole words, in their order, in either case; what stands between them does not count. */
const asksIn = (question: string, asks: string): boolean => {
  const wanted = wordsOf(asks);
  return wanted !== ' ' && wordsOf(question).includes(wanted);
};

const wordsOf = (text: string): string => ` ${(text.toLowerCase().match(WORD) ?? []).join(' ')} `.replace(/^ +$/, ' ');
