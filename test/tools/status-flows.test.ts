import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { newTunnelId } from '../../src/call.ts';
import type { TunnelView } from '../../src/ssh/tunnel/tunnel.ts';
import { transferLine, transferOpen, tunnelLine, tunnelOpen } from '../../src/tools/status-flows.ts';

const VIEW: TunnelView = {
  id: newTunnelId(randomBytes),
  ...{ host: 'db-1', direction: 'local', listenPort: 15432, to: { host: '127.0.0.1', port: 5432 } },
  ...{ state: 'open', reconnects: 0, connections: 1, total: 14, failed: 0 },
  ...{ bytesOut: 5_120, bytesIn: 90_112, idleMs: 12.6, endsInMs: 60_000.2 },
};

test('a tunnel is told whole in both forms', () => {
  const out = tunnelOpen(VIEW);
  expect(out).toEqual({
    ...{
      tunnel_id: VIEW.id,
      host: 'db-1',
      direction: 'local',
      listen_port: 15432,
      to_host: '127.0.0.1',
      to_port: 5432,
    },
    ...{ state: 'open', connections: 1, total: 14, failed: 0, reconnects: 0, bytes_out: 5120, bytes_in: 90112 },
    ...{ idle_ms: 13, ends_in_ms: 60000 },
  });
  expect(tunnelLine(out)).toBe(
    `tunnel ${VIEW.id} by db-1: local 127.0.0.1:15432 to 127.0.0.1:5432, open, 1 of 14 connections open, 5120 bytes out, 90112 in, unused for 13 ms, ends in 60000 ms at the latest`,
  );
});

test('a tunnel in trouble says what the trouble is, safe to read', () => {
  const out = tunnelOpen({ ...VIEW, state: 'waiting', why: 'refused:\x1b[31m no\u202e', failed: 3, reconnects: 2 });
  expect(out).toMatchObject({ state: 'waiting', why: 'refused: no\\u{202e}', failed: 3, reconnects: 2 });
  expect(tunnelLine(out)).toContain(
    ', waiting (refused: no\\u{202e}), 1 of 14 connections open, 3 failed, 2 reconnects, ',
  );
});

test('a transfer is told whole in both forms, with what is known of it', () => {
  const view = {
    host: 'web-1',
    direction: 'download',
    remotePath: '/srv/a\u202eb',
    bytes: 12_300_000,
    durationMs: 399.7,
  } as const;
  expect(transferOpen(view)).toEqual({
    ...{ host: 'web-1', direction: 'download', remote_path: '/srv/a\\u{202e}b', bytes: 12_300_000, duration_ms: 400 },
  });
  const out = transferOpen({ ...view, totalBytes: 80_000_000, files: 7 });
  expect(out).toMatchObject({ total_bytes: 80_000_000, files: 7 });
  expect(transferLine(out)).toBe(
    'download web-1:/srv/a\\u{202e}b: 7 files, 12.3 MB of 80.0 MB, 30.8 MB/s after 400 ms',
  );
});
