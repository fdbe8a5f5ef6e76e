/**
 * What a server says that came of a request (draft-ietf-secsh-filexfer-02 section 7): `failed` is all that OpenSSH says of most,
 * `exists` and `full` are said by few. `lie` is an answer that cannot be true.
 */
export type SftpStatus = 'end' | 'missing' | 'denied' | 'failed' | 'bad' | 'unsupported' | 'exists' | 'full' | 'lie';

/** A request that a server did not do, or answered with what cannot be; the conversation goes on. */
export class SftpError extends Error {
  readonly status: SftpStatus;

  /** `said` is the server's own text, made safe, on one line; empty when it said none. */
  constructor(status: SftpStatus, said: string) {
    super(said);
    this.name = 'SftpError';
    this.status = status;
  }
}
