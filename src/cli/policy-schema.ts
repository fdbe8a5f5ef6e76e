import * as z from 'zod';
import { DOCUMENT } from '../policy/document.ts';
import type { Io } from './io.ts';
import { EXIT } from './io.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** The text of the JSON Schema 2020-12 of a policy document: its form; `policy validate` knows all that is wrong with one. */
export const policySchema = (): string => {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(DOCUMENT, { io: 'input', target: 'draft-2020-12' });
  const head = {
    $schema: DIALECT,
    title: 'Sallyport policy, version 1',
    description: 'What agents may do over SSH. sallyport policy validate also checks what a schema cannot say.',
  };
  return `${JSON.stringify({ ...head, ...schema }, null, 2).replace(LIST, onOneLine)}\n`;
};

/** A list of texts and numbers alone, one to a line. */
const LIST = /\[\n\s+([^[\]{}]*?)\n\s+\]/g;
const LINE_WIDTH = 120;

const onOneLine = (list: string, inside: string, offset: number, text: string): string => {
  const column = offset - text.lastIndexOf('\n', offset) - 1;
  const line = `[${inside.replace(/,\n\s+/g, ', ')}]`;
  return column + line.length < LINE_WIDTH ? line : list;
};

/** `policy schema`: the schema, for an editor. */
export const policySchemaCommand = async (io: Io): Promise<number> => {
  io.stdout.write(policySchema());
  return EXIT.ok;
};
