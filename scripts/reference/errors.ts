/** The page on errors: every code, from the table that gives it its exit status. */
import { type ErrorCode, exitStatusOf } from '@harmony-iac/core/errors'
import { code, page, table } from './markdown.ts'

// The compiler refuses this table when a code is missing.
const meanings: Readonly<Record<ErrorCode, string>> = {
  'invalid-value':
    'a value cannot be what it is used for: not JSON, or a kind of Score that is declared wrongly',
  'invalid-spec': 'the spec of a Score does not fit its kind',
  'invalid-project': 'the project, a saved plan or `harmony.lock` is not valid; every issue is listed',
  'project-unreadable': 'there is no project file, or it cannot be loaded',
  'missing-capability': 'a topology lacks what a Score needs',
  'duplicate-address': 'two Scores of a deployment have one identity',
  'claim-conflict': 'two Scores claim the same thing on a host',
  cycle: 'Scores wait for each other; the path is told',
  'plan-conflict':
    'a person must decide first: something exists and differs, is protected, or belongs to another project',
  'mass-removal': 'more than half of what the project owns would be removed',
  protected: 'something that is protected would be removed or replaced',
  'compile-failed': 'the compiler refuses the project; `data.output` is what it printed',
  'unknown-kind': 'a Score of a kind that no imported package defines',
  'unknown-version': 'a Score of a version that this kind does not know',
  'unresolved-reference': 'a Score refers to another one, or an output, that is not there',
  'secret-missing': 'a secret is not known; where it was looked for is told',
  'asset-unreadable': 'a local file that is an asset cannot be read, or was changed while it was used',
  usage: 'the command line is not understood, or nobody can be asked',
  locked: 'somebody else works on this host; who is told',
  unreachable: 'a host, or a service on it, does not answer',
  'auth-failed': 'a host does not accept who we are: sudo refuses, or wants a password that nobody can give',
  interrupted: 'it was told to stop',
  'plan-stale': 'what is there is no longer what the plan has shown; what moved is told',
  'not-converged': 'after the change something still differs; what, is listed',
  refused: 'it could be done and must not be: a validation failed, something else stands there',
  'host-key': 'a host shows a key that is not known, has changed or was revoked; its fingerprint is told',
  'no-such-user': 'a user or group is not known on that host',
  timeout: 'a program did not end in time',
  'command-failed': 'a program could not be started, or ended with another status than 0',
  system: 'the system refused a call; `data.errno` is its code',
  'ledger-corrupt': 'the ledger of a host is damaged, or of a newer version',
  'store-conflict': 'a key of a store was written by somebody else meanwhile; `data.actual` is its revision',
  'store-too-large': 'a value or a key is larger than the store takes; `data.limit` tells',
  'store-damaged': 'a store is corrupt, of another version, or not a store at all; `data.reason` tells which',
  'store-uncertain': 'a store has not answered in time: the write may have been done or not',
  'store-unreachable':
    'a store is missing, held by others, full or cannot be written; nothing was done. `data.reason` tells which',
  'request-refused':
    'an agent refuses a request, or an answer is not what it should be; `data.reason` tells why',
  'no-answer':
    'an agent has not answered in time, or not to the end, or what came is not from it: it may have done what was asked',
  internal: 'a fault of Harmony or of a kind of Score: please report it',
}

/** The page. */
export function errorsPage(): string {
  return page(
    '# Errors',
    'Every error has a `code`, which is stable, and a `message`; most have a `hint` that says what to do, the `address` of\nthe Score, `issues` with their paths, and typed `data`. With `--json` they are [events](events.md) of the type `error`.',
    table(
      ['code', 'exit status', 'meaning'],
      Object.entries(exitStatusOf).map(([name, status]) => [
        code(name),
        String(status),
        meanings[name as ErrorCode],
      ]),
    ),
    'A step of a pass that fails or is blocked does not end the command: it is reported, what depends on it is left out,\nand the exit status is 1 in the end.',
  )
}
