import { cancelCommand } from './cancel-command.ts';
import { connect } from './connect.ts';
import { disconnect } from './disconnect.ts';
import { download } from './download.ts';
import { exec } from './exec.ts';
import { hostAdd } from './host-add.ts';
import { hostRemove } from './host-remove.ts';
import { listHosts } from './list-hosts.ts';
import { readOutput } from './read-output.ts';
import { sessionEnd } from './session-end.ts';
import { sessionRead } from './session-read.ts';
import { sessionSend } from './session-send.ts';
import { sessionStart } from './session-start.ts';
import { status } from './status.ts';
import type { Tool } from './tool.ts';
import { tunnelStart } from './tunnel-start.ts';
import { tunnelStop } from './tunnel-stop.ts';
import { upload } from './upload.ts';

/** Every tool there is, in the order that clients list them. */
export const TOOLS: readonly Tool[] = [
  listHosts,
  exec,
  readOutput,
  cancelCommand,
  sessionStart,
  sessionSend,
  sessionRead,
  sessionEnd,
  upload,
  download,
  tunnelStart,
  tunnelStop,
  connect,
  disconnect,
  hostAdd,
  hostRemove,
  status,
];
