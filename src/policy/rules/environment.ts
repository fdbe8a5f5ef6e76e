/** What the name of an environment variable is (POSIX XBD 8.1). */
export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const WORDS = new Set(
  (
    'ENV IFS PS4 HOME SHELL CDPATH MAIL VISUAL BROWSER BASH_ENV SHELLOPTS BASHOPTS PROMPT_COMMAND POSIXLY_CORRECT INPUTRC ' +
    'GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN TERMCAP KUBECONFIG CONTAINER_HOST ZDOTDIR GZIP BZIP2 XZ_DEFAULTS ZIPOPT ' +
    'OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES SSLKEYLOGFILE PSQLRC PGSERVICEFILE PGSYSCONFDIR PGPASSFILE MYSQL_HOME ' +
    'WGETRC CURL_HOME NETRC PHPRC PHP_INI_SCAN_DIR MAKEFILES TZDIR'
  ).split(' '),
);
const FRONTS =
  /^(?:LD_|DYLD_|GIT_|PYTHON|PERL|RUBY|NODE_|NPM_|LESS|MANLESS|TERMINFO|GCONV_|DOCKER_|SSH_|SUDO_|SYSTEMD_|BASH_FUNC_|XDG_|LUA_|JAVA|_JAVA|JDK_|ANSIBLE_|RSYNC_|TAR_|GREP_|MALLOC_|ZSTD_|SALLYPORT_)/;
const ENDS = /(?:PATH|PAGER|EDITOR|OPTIONS|OPTS|OPT|FLAGS|ASKPASS|PRELOAD)$/;

/**
 * Whether a variable is never passed on, whatever a rule says: it names programs, libraries, options or files that other
 * programs then run, load or obey. A rule's list only opens what is not among these.
 */
export const isFloor = (name: string): boolean => {
  const upper = name.toUpperCase();
  return WORDS.has(upper) || FRONTS.test(upper) || ENDS.test(upper);
};

/** Whether a value or a directory can be passed on: a line of text without control characters. */
export const isPlainValue = (value: string): boolean => !/[\0-\x1f\x7f-\x9f]/.test(value);
