import { expect, test, vi } from 'vitest';
import { TerminalLine } from '../../../src/ssh/terminal/terminal-line.ts';
import { TerminalScreen } from '../../../src/ssh/terminal/terminal-screen.ts';
import { Redaction } from '../../../src/text/redact.ts';

vi.mock('@xterm/headless', () => {
  throw new Error('Cannot find package');
});

test('without the emulator a screen is refused, with what can be done instead', async () => {
  const line = new TerminalLine('\u0002nonce', { cols: 80, rows: 24 });
  const screen = new TerminalScreen(line, { after: () => () => undefined, redaction: new Redaction() });
  await expect(screen.read()).rejects.toMatchObject({ code: 'UNSUPPORTED', next: 'Read the session as text.' });
  await expect(screen.read()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
