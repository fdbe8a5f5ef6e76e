import * as z from 'zod';
import { progressOf } from '../ssh/transfer/progress.ts';
import type { TransferView } from '../ssh/transfer/transfer.ts';
import type { TunnelView } from '../ssh/tunnel/tunnel.ts';
import { safeLine, safeText } from '../text/safe.ts';

/** A transfer that is under way, on the wire. */
export const transferOpenShape = z.strictObject({
  host: z.string(),
  direction: z.enum(['upload', 'download']),
  remote_path: z.string(),
  bytes: z.number().describe('Moved so far.'),
  total_bytes: z.number().optional(),
  files: z.number().optional(),
  duration_ms: z.number(),
});

/** A tunnel, on the wire. */
export const tunnelOpenShape = z.strictObject({
  tunnel_id: z.string(),
  host: z.string(),
  direction: z.enum(['local', 'remote']),
  listen_port: z.number().describe('On 127.0.0.1: of the machine of this server (local), of the host (remote).'),
  to_host: z.string(),
  to_port: z.number(),
  state: z.enum(['open', 'waiting', 'ended']).describe('waiting: the connection that carries it is opened anew.'),
  why: z.string().optional().describe('Why it is not open, or what was refused last.'),
  connections: z.number().describe('Open now.'),
  total: z.number().describe('Since it began.'),
  failed: z.number(),
  reconnects: z.number(),
  bytes_out: z.number().describe('From the side that listens.'),
  bytes_in: z.number(),
  idle_ms: z.number(),
  ends_in_ms: z.number(),
});

type TransferOpen = z.output<typeof transferOpenShape>;
type TunnelOpen = z.output<typeof tunnelOpenShape>;

/** A transfer as JSON. */
export const transferOpen = (view: TransferView): TransferOpen => ({
  host: view.host,
  direction: view.direction,
  remote_path: safeText(view.remotePath),
  bytes: view.bytes,
  ...(view.totalBytes === undefined ? {} : { total_bytes: view.totalBytes }),
  ...(view.files === undefined ? {} : { files: view.files }),
  duration_ms: Math.round(view.durationMs),
});

/** A tunnel as JSON. */
export const tunnelOpen = (view: TunnelView): TunnelOpen => ({
  ...{ tunnel_id: view.id, host: view.host, direction: view.direction, listen_port: view.listenPort },
  ...{ to_host: view.to.host, to_port: view.to.port, state: view.state },
  ...(view.why === undefined ? {} : { why: safeLine(view.why) }),
  ...{ connections: view.connections, total: view.total, failed: view.failed, reconnects: view.reconnects },
  ...{ bytes_out: view.bytesOut, bytes_in: view.bytesIn },
  ...{ idle_ms: Math.round(view.idleMs), ends_in_ms: Math.round(view.endsInMs) },
});

/** A transfer in words. */
export const transferLine = (one: TransferOpen): string =>
  `${one.direction} ${one.host}:${one.remote_path}: ${progressOf({
    bytes: one.bytes,
    totalBytes: one.total_bytes,
    files: one.files,
    durationMs: one.duration_ms,
  })} after ${one.duration_ms} ms`;

/** A tunnel in words. */
export const tunnelLine = (one: TunnelOpen): string =>
  `tunnel ${one.tunnel_id} by ${one.host}: ${one.direction} 127.0.0.1:${one.listen_port} to ${one.to_host}:${one.to_port}, ${one.state}` +
  `${one.why === undefined ? '' : ` (${one.why})`}, ${one.connections} of ${one.total} connections open` +
  `${one.failed === 0 ? '' : `, ${one.failed} failed`}${one.reconnects === 0 ? '' : `, ${one.reconnects} reconnects`}` +
  `, ${one.bytes_out} bytes out, ${one.bytes_in} in, unused for ${one.idle_ms} ms, ends in ${one.ends_in_ms} ms at the latest`;
