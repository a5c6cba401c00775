/** What programs complain of, as the error of the system call that they made. */
import { systemError } from '../ssh/sftp-errors.ts'

/**
 * The texts of strerror(3), in lower case: glibc's, then musl's where they differ, then what shells say instead. The first
 * that is found counts.
 */
const texts: readonly (readonly [string, string])[] = [
  ['no such file or directory', 'ENOENT'],
  ['nonexistent directory', 'ENOENT'],
  ['file exists', 'EEXIST'],
  ['not a directory', 'ENOTDIR'],
  ['is a directory', 'EISDIR'],
  ['directory not empty', 'ENOTEMPTY'],
  ['permission denied', 'EACCES'],
  ['operation not permitted', 'EPERM'],
  ['no space left on device', 'ENOSPC'],
  ['read-only file system', 'EROFS'],
  ['disk quota exceeded', 'EDQUOT'],
  ['quota exceeded', 'EDQUOT'],
  ['too many levels of symbolic links', 'ELOOP'],
  ['symbolic link loop', 'ELOOP'],
  ['file name too long', 'ENAMETOOLONG'],
  ['filename too long', 'ENAMETOOLONG'],
  ['invalid argument', 'EINVAL'],
  ['too many open files', 'EMFILE'],
  ['resource busy', 'EBUSY'],
]

/** `EIO` for what nobody knows. */
export function errnoOf(complaint: string): string {
  const said = complaint.toLowerCase()
  const found = texts
    .map(([text, code]) => ({ code, at: said.lastIndexOf(text) }))
    .filter(({ at }) => at >= 0)
    // The end of a line is the system's; a path before it may contain anything.
    .sort((a, b) => b.at - a.at)
  return found[0]?.code ?? 'EIO'
}

/** The error of a call on a path. */
export function complaintError(complaint: string, syscall: string, path: string): Error {
  return systemError(errnoOf(complaint), syscall, path, new Error(complaint.trim().slice(-1000)))
}
