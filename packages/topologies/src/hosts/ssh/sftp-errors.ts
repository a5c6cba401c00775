/**
 * What went wrong, in the words of the system. SFTP (version 3) has few codes: "failure" may be an existing file, a full
 * disk or a folder that is not empty. Which of these it is, is found out by a second look.
 */
import type { SFTPWrapper } from 'ssh2'

/** The codes of SSH_FXP_STATUS (draft-ietf-secsh-filexfer-02, section 7). */
const status = {
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
}

/** An error of a system call, as the port `Host` has them. */
export function systemError(code: string, syscall: string, path: string, cause?: unknown): Error {
  const error = new Error(`${code}: ${syscall} '${path}'`, cause === undefined ? undefined : { cause })
  const hint =
    code === 'EACCES'
      ? 'work there as a user who may do this (as root by sudo: `ssh(…, { sudo: true })`), or choose another path'
      : undefined
  return Object.assign(error, { code, syscall, path }, hint === undefined ? {} : { hint })
}

/** The code of an error of SFTP; `undefined` for "failure" and for what is no error of SFTP. */
export function codeOf(
  error: unknown,
): 'ENOENT' | 'EACCES' | 'EINVAL' | 'ENOTSUP' | 'ECONNRESET' | undefined {
  switch ((error as { readonly code?: unknown }).code) {
    case status.noSuchFile:
      return 'ENOENT'
    case status.permissionDenied:
      return 'EACCES'
    // OpenSSH's word for EINVAL.
    case status.badMessage:
      return 'EINVAL'
    case status.unsupported:
      return 'ENOTSUP'
    case status.noConnection:
    case status.connectionLost:
      return 'ECONNRESET'
    default:
      return undefined
  }
}

/** Whether the server has said no more than "failure". */
export function isVague(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === status.failure
}

/** Why nothing can be written there: the file system is full or read-only; otherwise `EIO`. */
export async function whyNotWritten(sftp: SFTPWrapper, folder: string): Promise<'ENOSPC' | 'EROFS' | 'EIO'> {
  const readOnly = 1n
  try {
    const found = await new Promise<Record<string, bigint | number>>((resolve, reject) => {
      sftp.ext_openssh_statvfs(folder, (error, info) => (error ? reject(error) : resolve(info as never)))
    })
    if ((BigInt(found.f_flag ?? 0) & readOnly) !== 0n) return 'EROFS'
    if (
      BigInt(found.f_bavail ?? 1) === 0n ||
      (BigInt(found.f_files ?? 0) > 0n && BigInt(found.f_favail ?? 1) === 0n)
    )
      return 'ENOSPC'
  } catch {
    // An older server: nothing more is known.
  }
  return 'EIO'
}
