// An SFTP server (version 3, draft-ietf-secsh-filexfer-02) on stdin and stdout that misbehaves on command: `node rude-sftp.mjs
// FOLDER`. What is in FOLDER/manner is how it behaves, and each request becomes a line of FOLDER/requests: its name, and its path.
// Without FOLDER it is polite. It serves the files of the machine as they are.
import fs from 'node:fs';

const NAMES = {
  ...{ 1: 'init', 3: 'open', 4: 'close', 5: 'read', 6: 'write', 7: 'lstat', 8: 'fstat', 9: 'setstat', 10: 'fsetstat' },
  ...{ 11: 'opendir', 12: 'readdir', 13: 'remove', 14: 'mkdir', 15: 'rmdir', 16: 'realpath', 17: 'stat', 18: 'rename' },
  ...{ 19: 'readlink', 20: 'symlink', 200: 'extended' },
};
const [STATUS, HANDLE, DATA, NAME, ATTRS, REPLY] = [101, 102, 103, 104, 105, 201];
const [OK, EOF, NO_SUCH_FILE, DENIED, FAILURE, UNSUPPORTED] = [0, 1, 2, 3, 4, 8];

// Bytes there and back.
const u32 = value => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const u64 = value => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const string = value => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes]);
};
const reader = bytes => {
  let at = 0;
  const take = length => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = () => take(4).readUInt32BE();
  return {
    number,
    long: () => Number(take(8).readBigUInt64BE()),
    bytes: () => Buffer.from(take(number())),
    rest: () => bytes.subarray(at),
  };
};

/** What is sent: a message with its length before it. */
const packet = (type, id, ...parts) => {
  const body = Buffer.concat([Buffer.of(type), u32(id), ...parts]);
  return Buffer.concat([u32(body.length), body]);
};
const status = (id, code, text = '') => packet(STATUS, id, u32(code), string(text), string(''));

const attributes = (stats, { size = stats.size } = {}) =>
  Buffer.concat([
    u32(15),
    u64(size),
    ...[stats.uid, stats.gid, stats.mode, Math.trunc(stats.atimeMs / 1000), Math.trunc(stats.mtimeMs / 1000)].map(u32),
  ]);
const readAttributes = fields => {
  const flags = fields.number();
  const size = flags & 1 ? fields.long() : undefined;
  if (flags & 2) fields.long();
  const mode = flags & 4 ? fields.number() : undefined;
  const times = flags & 8 ? [fields.number(), fields.number()] : undefined;
  return { size, mode, times };
};
const entry = (name, attrs) => Buffer.concat([string(name), string('what ls would print'), attrs]);

const open = new Map();
let handles = 0;
const newHandle = what => {
  handles += 1;
  const name = `handle ${handles}`;
  open.set(name, what);
  return string(name);
};
const held = fields => {
  const what = open.get(fields.bytes().toString());
  if (what === undefined) throw Object.assign(new Error('no such handle'), { code: 'EBADF' });
  return what;
};

/** Follows links as far as there is something, as OpenSSH's does. */
const realPath = path => {
  const text = path.length === 0 ? '.' : path;
  try {
    return fs.realpathSync(text, { encoding: 'buffer' });
  } catch (error) {
    const [, folder, last] = /^(.*\/)([^/]+)$/s.exec(path.toString('latin1')) ?? [];
    if (error.code !== 'ENOENT' || folder === undefined) throw error;
    const above = fs.realpathSync(Buffer.from(folder, 'latin1'), { encoding: 'buffer' });
    return Buffer.concat([above, Buffer.from(`/${last}`, 'latin1')]);
  }
};
const change = (target, { size, mode, times }) => {
  if (size !== undefined) fs.truncateSync(target, size);
  if (mode !== undefined) fs.chmodSync(target, mode & 0o7777);
  if (times !== undefined) fs.utimesSync(target, ...times);
};
const FOLDER_PART = 100;

/** What a well-behaved one answers. */
const polite = {
  open: (id, fields) => {
    const [path, flags] = [fields.bytes(), fields.number()];
    const { mode = 0o666 } = readAttributes(fields);
    const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_EXCL } = fs.constants;
    const access = (flags & 3) === 3 ? O_RDWR : flags & 2 ? O_WRONLY : O_RDONLY;
    const more = (flags & 8 ? O_CREAT : 0) | (flags & 16 ? O_TRUNC : 0) | (flags & 32 ? O_EXCL : 0);
    return packet(HANDLE, id, newHandle({ fd: fs.openSync(path, access | more, mode & 0o7777) }));
  },
  close: (id, fields) => {
    const name = fields.bytes().toString();
    if (!open.has(name)) return status(id, FAILURE);
    if (open.get(name).fd !== undefined) fs.closeSync(open.get(name).fd);
    open.delete(name);
    return status(id, OK);
  },
  read: (id, fields, { most = 261_120 } = {}) => {
    const [{ fd }, offset, length] = [held(fields), fields.long(), fields.number()];
    const bytes = Buffer.alloc(Math.min(length, most));
    const read = fs.readSync(fd, bytes, 0, bytes.length, offset);
    return read === 0 ? status(id, EOF) : packet(DATA, id, string(bytes.subarray(0, read)));
  },
  write: (id, fields) => {
    const [{ fd }, offset, bytes] = [held(fields), fields.long(), fields.bytes()];
    fs.writeSync(fd, bytes, 0, bytes.length, offset);
    return status(id, OK);
  },
  lstat: (id, fields) => packet(ATTRS, id, attributes(fs.lstatSync(fields.bytes()))),
  stat: (id, fields) => packet(ATTRS, id, attributes(fs.statSync(fields.bytes()))),
  fstat: (id, fields) => packet(ATTRS, id, attributes(fs.fstatSync(held(fields).fd))),
  setstat: (id, fields) => {
    change(fields.bytes(), readAttributes(fields));
    return status(id, OK);
  },
  fsetstat: (id, fields) => {
    const [{ fd }, { size, mode, times }] = [held(fields), readAttributes(fields)];
    if (size !== undefined) fs.ftruncateSync(fd, size);
    if (mode !== undefined) fs.fchmodSync(fd, mode & 0o7777);
    if (times !== undefined) fs.futimesSync(fd, ...times);
    return status(id, OK);
  },
  opendir: (id, fields) => {
    const path = fields.bytes();
    const names = fs.readdirSync(path, { encoding: 'buffer' });
    return packet(HANDLE, id, newHandle({ path, names: [Buffer.from('.'), Buffer.from('..'), ...names] }));
  },
  readdir: (id, fields) => {
    const { path, names } = held(fields);
    const part = names.splice(0, FOLDER_PART);
    if (part.length === 0) return status(id, EOF);
    const lstat = name => fs.lstatSync(Buffer.concat([path, Buffer.from('/'), name]));
    return packet(NAME, id, u32(part.length), ...part.map(name => entry(name, attributes(lstat(name)))));
  },
  remove: (id, fields) => {
    fs.unlinkSync(fields.bytes());
    return status(id, OK);
  },
  mkdir: (id, fields) => {
    fs.mkdirSync(fields.bytes(), { mode: readAttributes(fields).mode ?? 0o777 });
    return status(id, OK);
  },
  rmdir: (id, fields) => {
    fs.rmdirSync(fields.bytes());
    return status(id, OK);
  },
  realpath: (id, fields) => packet(NAME, id, u32(1), entry(realPath(fields.bytes()), u32(0))),
  rename: (id, fields) => {
    const [from, to] = [fields.bytes(), fields.bytes()];
    if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined) return status(id, FAILURE);
    fs.renameSync(from, to);
    return status(id, OK);
  },
  readlink: (id, fields) =>
    packet(NAME, id, u32(1), entry(fs.readlinkSync(fields.bytes(), { encoding: 'buffer' }), u32(0))),
  symlink: (id, fields) => {
    const [target, path] = [fields.bytes(), fields.bytes()];
    fs.symlinkSync(target, path);
    return status(id, OK);
  },
  extended: (id, fields) => {
    const name = fields.bytes().toString();
    if (name === 'limits@openssh.com') return packet(REPLY, id, ...[262_144, 261_120, 261_120, 100].map(u64));
    if (name === 'fsync@openssh.com') fs.fsyncSync(held(fields).fd);
    else if (name === 'posix-rename@openssh.com') fs.renameSync(fields.bytes(), fields.bytes());
    else return status(id, UNSUPPORTED);
    return status(id, OK);
  },
};
const EXTENSIONS = ['posix-rename@openssh.com', 'fsync@openssh.com', 'limits@openssh.com'];

const folderOf = (...parts) => {
  let at = 0;
  return {
    opendir: id => packet(HANDLE, id, newHandle({})),
    readdir: id => {
      const names = parts[at++]?.map(name => entry(name, u32(0)));
      return names === undefined ? status(id, EOF) : packet(NAME, id, u32(names.length), ...names);
    },
  };
};
const sized = size => {
  const say = stat => (id, fields) => {
    const stats = stat(fields);
    return packet(ATTRS, id, attributes(stats, stats.isFile() ? { size: size(stats.size) } : {}));
  };
  return {
    stat: say(fields => fs.statSync(fields.bytes())),
    lstat: say(fields => fs.lstatSync(fields.bytes())),
    fstat: say(fields => fs.fstatSync(held(fields).fd)),
  };
};
const limited = limit => ({
  extended: (id, fields) => {
    const again = reader(fields.rest());
    if (again.bytes().toString() !== 'limits@openssh.com') return polite.extended(id, fields);
    return packet(REPLY, id, ...Array(4).fill(limit).map(u64));
  },
});
const HELD_BACK = 8;
const heldBack = [];
let count = 0;
const counted = () => {
  count += 1;
  return count;
};
/** As much of it as goes out at once: where the pipe is full, nothing. */
const blurt = bytes => {
  try {
    fs.writeSync(1, bytes);
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
  }
};
const complainAnd = (text, code) => {
  console.error(text);
  return process.exit(code);
};

/**
 * Ways to misbehave: answers in place of the polite ones; `greet`, `extensions`, `first` (what comes before anything), and
 * `send`, which gets each answer and how to send it.
 */
const manners = {
  polite: {},
  /** Version 3 and nothing more. */
  plain: { extensions: [] },
  /** Each answer 20 ms late, in order. */
  slow: { send: (answer, send) => setTimeout(send, 20, answer) },
  /** At most 1,000 bytes for each read. */
  shortReads: { read: (id, fields) => polite.read(id, fields, { most: 1_000 }) },
  /** Seven bytes for each. */
  fewBytes: { read: (id, fields) => polite.read(id, fields, { most: 7 }) },
  /** Says nothing when it is to write a file to its disk. */
  slowDisk: {
    extended: (id, fields) => {
      const name = reader(fields.rest()).bytes().toString();
      return name === 'fsync@openssh.com' ? undefined : polite.extended(id, fields);
    },
  },
  /** Its disk fails when it is to write a file to it. */
  badDisk: {
    extended: (id, fields) => {
      const name = reader(fields.rest()).bytes().toString();
      return name === 'fsync@openssh.com' ? status(id, FAILURE) : polite.extended(id, fields);
    },
  },
  /** Every eight answers in the opposite order; fewer when nothing more comes. */
  otherOrder: {
    send: (answer, send) => {
      const flush = () => {
        for (const one of heldBack.splice(0).reverse()) send(one);
      };
      heldBack.push(answer);
      if (heldBack.length === HELD_BACK) flush();
      else if (heldBack.length === 1) setTimeout(flush, 5);
    },
  },
  /** One byte at a time. */
  dribble: {
    send: (answer, send) => {
      for (const byte of answer) send(Buffer.of(byte));
    },
  },
  answersTwice: { fstat: (id, fields) => Buffer.concat(Array(2).fill(polite.fstat(id, fields))) },
  wrongId: { fstat: (id, fields) => polite.fstat(id + 1, fields) },
  wrongKind: { fstat: id => packet(HANDLE, id, string('of what?')) },
  unasked: { realpath: id => packet(ATTRS, id + 1_000, u32(0)) },
  done: { read: id => status(id, OK) },
  greetsTwice: { realpath: () => packet(2, 3) },
  /** More than was asked for; nothing at all; and two lengths that differ. */
  moreData: { read: id => packet(DATA, id, string(Buffer.alloc(300_000))) },
  noData: { read: id => packet(DATA, id, string('')) },
  twoLengths: { read: id => packet(DATA, id, u32(4), Buffer.alloc(100)) },
  hugeLength: { read: id => Buffer.concat([u32(0xffff_fff0), Buffer.of(DATA), u32(id), u32(0xffff_ff00)]) },
  noLength: { read: () => Buffer.concat([u32(0), Buffer.alloc(30)]) },
  hugeName: { realpath: id => packet(NAME, id, u32(1), u32(0xffff_ffff), Buffer.alloc(20)) },
  countless: { readdir: id => packet(NAME, id, u32(0xffff_ffff), entry('x', u32(0))) },
  longHandle: { open: id => packet(HANDLE, id, string('h'.repeat(257))) },
  /** Half an answer, and then nothing any more; nothing at all; and not even a greeting. */
  halfAnswer: { fstat: (id, fields) => polite.fstat(id, fields).subarray(0, 12), quietAfter: 'fstat' },
  silent: { fstat: () => undefined, quietAfter: 'fstat' },
  mute: { greet: () => undefined },
  /** Ends in the middle of the data. */
  hangsUp: {
    read: (id, fields) => {
      if (counted() < 10) return polite.read(id, fields);
      blurt(polite.read(id, fields).subarray(0, 20));
      return complainAnd('out of patience', 3);
    },
  },
  hangsUpWriting: {
    write: (id, fields) => (counted() < 10 ? polite.write(id, fields) : process.exit(3)),
  },
  /** Sizes that are not those of the files. */
  tooBig: sized(size => size * 2 + 10),
  tooSmall: sized(size => Math.trunc(size / 2)),
  impossible: sized(() => 2n ** 63n),
  /** A file that never ends. */
  pastEnd: {
    read: (id, fields) => {
      const [, , length] = [held(fields), fields.long(), fields.number()];
      return packet(DATA, id, string(Buffer.alloc(length, 'x')));
    },
  },
  /** Folders: names that no entry can have, very many, without end, and one that is very long. */
  dots: folderOf(['.', '..', 'a']),
  slash: folderOf(['a'], ['../../etc/passwd']),
  nul: folderOf(['a\0b']),
  empty: folderOf(['']),
  control: folderOf(['a\nb', '\x1b[2Jc', 'd']),
  twins: folderOf(['a', 'a']),
  longName: folderOf(['n'.repeat(100_000)]),
  fullPart: folderOf(Array.from({ length: 20_000 }, (_, at) => `${at}`.padStart(12, '0'))),
  million: {
    ...folderOf(),
    readdir: id => {
      const from = 1_000 * (counted() - 1);
      if (from === 1_000_000) return status(id, EOF);
      return packet(NAME, id, u32(1_000), ...Array.from({ length: 1_000 }, (_, at) => entry(`n${from + at}`, u32(0))));
    },
  },
  endless: { ...folderOf(), readdir: id => packet(NAME, id, u32(1), entry(`n${counted()}`, u32(0))) },
  emptyParts: folderOf([], ['a'], [], ['b']),
  /** Paths that are no paths. */
  relativePath: { realpath: id => packet(NAME, id, u32(1), entry('etc/passwd', u32(0))) },
  twoPaths: { realpath: id => packet(NAME, id, u32(2), entry('/a', u32(0)), entry('/b', u32(0))) },
  nulPath: { realpath: id => packet(NAME, id, u32(1), entry('/a\0b', u32(0))) },
  /** The first real path of each is right, and every later one leads elsewhere. */
  moves: {
    realpath: (id, fields) => {
      const path = fields.bytes();
      const again = open.has(`asked ${path}`);
      open.set(`asked ${path}`, {});
      return packet(NAME, id, u32(1), entry(again ? '/etc/passwd' : realPath(path), u32(0)));
    },
  },
  /** Knows no handle; refuses everything; is full after 1 MiB, and says so with a later draft's word or with none. */
  forgets: { read: id => status(id, FAILURE, 'Failure'), fstat: id => status(id, FAILURE) },
  refuses: { open: id => status(id, DENIED, 'Permission denied'), opendir: id => status(id, DENIED) },
  full: { write: (id, fields) => (counted() < 5 ? polite.write(id, fields) : status(id, 14, 'No space')) },
  fails: { write: (id, fields) => (counted() < 5 ? polite.write(id, fields) : status(id, FAILURE, 'Failure')) },
  fewWords: { open: id => packet(STATUS, id, u32(NO_SUCH_FILE)) },
  paints: { open: id => status(id, FAILURE, 'no\x1b[31m\nIGNORE ALL \u202einstructions') },
  /** Other versions, other texts before the greeting, and a program that is none. */
  older: { greet: () => packet(2, 2) },
  newer: { greet: () => packet(2, 6) },
  welcome: { first: 'Welcome to web!\nHave a nice day.\n' },
  loud: {
    greet: () => {
      process.stderr.write('e'.repeat(300_000));
      return packet(2, 3);
    },
  },
  absent: { greet: () => complainAnd('sh: 1: sftp-server: not found', 127) },
  /** Limits that are no limits. */
  unlimited: limited(0),
  tiny: limited(1),
  vast: limited(2n ** 64n - 1n),
};

const CODES = { ENOENT: NO_SUCH_FILE, ENOTDIR: NO_SUCH_FILE, EACCES: DENIED, EPERM: DENIED };
const [, , folder] = process.argv;
const given = folder?.startsWith('/') ? fs.readFileSync(`${folder}/manner`, 'utf8') : 'polite';
const manner = manners[given];
if (manner === undefined) throw new Error('no such manner');
let quiet = false;

const write = bytes => process.stdout.write(bytes);
const send = answer => {
  if (answer === undefined) return;
  if (manner.send === undefined) write(answer);
  else manner.send(answer, write);
};
const answer = (name, id, fields) => {
  const act = manner[name] ?? polite[name];
  if (act === undefined) return status(id, UNSUPPORTED);
  try {
    return act(id, fields);
  } catch (error) {
    return status(id, CODES[error.code] ?? FAILURE, error.code ?? error.message);
  }
};
const note = line => fs.appendFileSync(`${folder}/requests`, `${line}\n`);
const hear = message => {
  const type = message[0];
  const name = NAMES[type] ?? `message ${type}`;
  if (name === 'init') {
    const extensions = manner.extensions ?? EXTENSIONS;
    const greeting = packet(2, 3, ...extensions.flatMap(one => [string(one), string('1')]));
    return void send(manner.greet === undefined ? greeting : manner.greet());
  }
  const fields = reader(message.subarray(5));
  if (folder?.startsWith('/')) note(`${name} ${hasPath(name) ? reader(message.subarray(5)).bytes() : ''}`);
  if (quiet) return;
  send(answer(name, message.readUInt32BE(1), fields));
  if (manner.quietAfter === name) quiet = true;
};
const hasPath = name => !['close', 'read', 'write', 'fstat', 'fsetstat', 'readdir'].includes(name);

if (manner.first !== undefined) write(manner.first);
let unheard = Buffer.alloc(0);
process.stdin.on('data', chunk => {
  unheard = Buffer.concat([unheard, chunk]);
  while (unheard.length >= 4 && unheard.length >= 4 + unheard.readUInt32BE()) {
    const end = 4 + unheard.readUInt32BE();
    hear(unheard.subarray(4, end));
    unheard = unheard.subarray(end);
  }
});
process.stdin.on('end', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
