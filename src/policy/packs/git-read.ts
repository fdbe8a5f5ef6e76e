import type { Pack } from './pack.ts';
import { ANY } from './words.ts';

/**
 * Words that keep git from running what a repository's own configuration names: file system monitors, hooks (the index
 * is refreshed by `status` and `diff`), signature programs, transports of lazy fetches, and pagers.
 */
const HARDENED =
  '<with -c core.fsmonitor=false -c core.hooksPath=/dev/null -c protocol.allow=never -c gpg.program=false ' +
  '-c gpg.openpgp.program=false -c gpg.ssh.program=false -c gpg.x509.program=false -c submodule.recurse=false ' +
  '-c status.submoduleSummary=false --no-optional-locks --no-pager>';
const SHOWN = '<with --no-ext-diff --no-textconv --submodule=short>';

const GIT = `git ${HARDENED} (-C <path:{$root}/**>) [--no-pager]`;

/** A revision, a range or a relative path: no part of it is `..`. */
const LETTER = 'A-Za-z0-9_@{}^~,+%-';
const revision = (separators: string): string => {
  const part = `(?:\\.?|\\.?[${LETTER}][.${LETTER}]*|\\.\\.[.${LETTER}]+)`;
  return `<re:(?:[A-Za-z0-9_@{}^~][.${LETTER}]*|\\.(?:[${LETTER}][.${LETTER}]*)?|\\.\\.[.${LETTER}]+)(?:[${separators}]${part})*>`;
};
const REVISION = revision('/');
const OBJECT = revision('/:');
const PATHS = '[-- [<relpath>]...]';
const DATE = '<re:[A-Za-z0-9 :.+/-]+>';
const DIFF =
  '--stat --shortstat --numstat --summary --name-only --name-status --no-color --no-ext-diff --no-textconv -w|--ignore-all-space ' +
  '-b|--ignore-space-change --check -U|--unified <int:0..1000> --word-diff --no-renames -M -C --diff-filter=<re:[A-Za-z]+> --full-index --raw';

/** The history and state of repositories, without running anything that they configure. */
export const GIT_READ: Pack = {
  name: 'git-read',
  summary:
    'The history and state of repositories below the folders given, always named by git -C; content filters of a hostile repository still run in status and diff.',
  parameter: { name: 'root', of: 'folders', example: '/srv/app' },
  sets: [
    {
      commands: [
        `${GIT} status <with --ignore-submodules=dirty> [-s|--short -b|--branch --porcelain --porcelain={v1,v2} --long --ignored -u|--untracked-files -u{no,normal,all} --untracked-files={no,normal,all} --no-renames --show-stash] ${PATHS}`,
        `${GIT} log ${SHOWN} [${DIFF} --oneline --graph --all --branches --tags --decorate --no-decorate --merges --no-merges --first-parent --reverse --follow --abbrev-commit -p|--patch -s|--no-patch -i|--regexp-ignore-case -n|--max-count <int> -<int> --skip <int> --since|--after ${DATE} --until|--before ${DATE} --date={iso,iso-strict,short,relative,local,rfc,unix} --format=${ANY} --pretty=${ANY}] [--author ${ANY} --committer ${ANY} --grep ${ANY} -S ${ANY} -G ${ANY}]... [${REVISION}]...8 ${PATHS}`,
        `${GIT} diff <with --no-ext-diff --no-textconv --submodule=short --ignore-submodules=dirty> [${DIFF} --cached|--staged -p|--patch --merge-base] [${REVISION}]...4 ${PATHS}`,
        `${GIT} show ${SHOWN} [${DIFF} --oneline -p|--patch -s|--no-patch --format=${ANY} --pretty=${ANY} --abbrev-commit] [${OBJECT}]...4 ${PATHS}`,
        `${GIT} branch [-a|--all -r|--remotes --list --show-current --no-color] [-v|--verbose]... [--contains <name> --merged --no-merged]`,
        `${GIT} tag (-l|--list) [-n --sort={version:refname,-version:refname,creatordate,-creatordate}] [<re:[A-Za-z0-9._/*-]+>]`,
        `${GIT} remote [-v|--verbose]`,
        `${GIT} rev-parse [--short --abbrev-ref --verify --show-toplevel --is-inside-work-tree --git-dir] [${REVISION}]...2`,
        `${GIT} rev-list [--count --all --first-parent --no-merges -n|--max-count <int> -<int>] ${REVISION}...2`,
        `${GIT} describe [--tags --always --all --long --abbrev=<int>] [${REVISION}]`,
        `${GIT} blame <with --no-textconv> [-w -s -e -l -L <re:[0-9]+,[0-9+]+>] [${REVISION}] -- <relpath>`,
        `${GIT} blame <with --no-textconv> [-w -s -e -l -L <re:[0-9]+,[0-9+]+>] <relpath>`,
        `${GIT} ls-files [-c|--cached -m|--modified -o|--others -d|--deleted -s|--stage --exclude-standard] ${PATHS}`,
        `${GIT} ls-tree [-r -d -l --name-only] ${REVISION} [<relpath>]...4`,
        `${GIT} grep <with --no-textconv> [-n|--line-number -i|--ignore-case -l|--files-with-matches -c|--count -w -E -F -P --cached --no-color] ${ANY} ${PATHS}`,
        `${GIT} shortlog [-s|--summary -n|--numbered -e|--email] ${REVISION}`,
        `${GIT} stash list`,
        `${GIT} reflog [-n <int> -<int>]`,
        `${GIT} reflog show [-n <int> -<int>] [${REVISION}]`,
        `${GIT} cat-file (-p|-t|-s) ${OBJECT}`,
        `${GIT} count-objects [-v -H]`,
        `${GIT} worktree list`,
        'git --version',
        'git version',
      ],
    },
  ],
  match: [
    'git -C /srv/app status',
    'git -C /srv/app status -sb',
    'git -C /srv/app log --oneline -5',
    "git -C /srv/app log --since='2 weeks ago' --author='Jane Doe' --format='%h %an %s'",
    'git -C /srv/app log -p -n 3 main..HEAD -- src/index.js',
    'git -C /srv/app diff',
    'git -C /srv/app diff --stat HEAD~3..HEAD',
    'git -C /srv/app diff --cached -- src/a.js src/b.js',
    'git -C /srv/app show HEAD:src/index.js',
    'git -C /srv/app show --name-only abc1234',
    'git -C /srv/app branch -vv',
    'git -C /srv/app --no-pager branch --show-current',
    'git -C /srv/app remote -v',
    'git -C /srv/app rev-parse --short HEAD',
    'git -C /srv/app blame -L 10,20 src/index.js',
    'git -C /srv/app ls-files -m',
    'git -C /srv/app grep -n needle -- src',
    'git -C /srv/app tag -l',
    'git -C /srv/app/sub describe --tags --always',
    'git --version',
  ],
  not_match: [
    'git status',
    'git log',
    'git -C /etc status',
    'git -C /srv/app/../../etc status',
    'git -C /srv/app -c core.fsmonitor=id status',
    'git -c core.pager=id -C /srv/app log',
    'git -C /srv/app -p log',
    'git --exec-path=/tmp -C /srv/app status',
    'git --git-dir=/tmp/x -C /srv/app status',
    'git -C /srv/app --work-tree=/etc status',
    'git -C /srv/app diff --output=/srv/app/x',
    'git -C /srv/app diff --ext-diff',
    'git -C /srv/app log --textconv',
    'git -C /srv/app log --format --output=/tmp/x',
    'git -C /srv/app log --show-signature',
    'git -C /srv/app diff --no-index /etc/passwd /dev/null',
    'git -C /srv/app diff /etc/passwd /dev/null',
    'git -C /srv/app diff ../../etc/passwd x',
    'git -C /srv/app show HEAD:../../x',
    'git -C /srv/app grep -O x',
    'git -C /srv/app grep --open-files-in-pager=sh x',
    'git -C /srv/app grep --no-index root /etc/passwd',
    'git -C /srv/app grep -f /etc/passwd',
    'git -C /srv/app branch -D main',
    'git -C /srv/app branch evil',
    'git -C /srv/app branch --edit-description',
    'git -C /srv/app tag evil',
    'git -C /srv/app tag -d v1',
    'git -C /srv/app remote add x y',
    'git -C /srv/app checkout main',
    'git -C /srv/app pull',
    'git -C /srv/app fetch',
    "git -C /srv/app ls-remote --upload-pack='id' .",
    'git -C /srv/app config --list',
    'git -C /srv/app reset --hard',
    'git -C /srv/app clean -fd',
    'git -C /srv/app stash',
    'git -C /srv/app stash drop',
    'git -C /srv/app reflog expire --all',
    'git -C /srv/app reflog expire',
    'git -C /srv/app reflog drop',
    'git -C /srv/app blame --contents /etc/passwd x',
    'git -C /srv/app cat-file --filters HEAD:x',
    'git -C /srv/app cat-file --batch',
    'git -C /srv/app describe --dirty',
    'git -C /srv/app help log',
    'git -C /srv/app evil-alias',
    'git -C /srv/app worktree add /tmp/x',
  ],
};
