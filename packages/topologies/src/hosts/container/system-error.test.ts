import { expect, test } from 'vitest'
import { complaintError, errnoOf } from './system-error.ts'

test.each([
  ["stat: cannot statx '/x': No such file or directory", 'ENOENT'],
  ["stat: can't stat '/x': Permission denied", 'EACCES'],
  ["rmdir: failed to remove './d': Directory not empty", 'ENOTEMPTY'],
  ["rmdir: './f': Not a directory", 'ENOTDIR'],
  ['sh: 1: cannot create ./f: File exists', 'EEXIST'],
  ["sh: can't create ./f: nonexistent directory", 'ENOENT'],
  ["dd: error writing 'standard output': No space left on device", 'ENOSPC'],
  ["mkdir: can't create directory 'd': Read-only file system", 'EROFS'],
  ['readlink: /x: Symbolic link loop', 'ELOOP'],
  ['chown: ./f: Operation not permitted', 'EPERM'],
  ["cat: '/srv/File exists/x': No such file or directory", 'ENOENT'],
  ['rm: something odd', 'EIO'],
  ['', 'EIO'],
])('%s', (complaint, code) => {
  expect(errnoOf(complaint)).toBe(code)
})

test('it is an error as of the call itself, with what was said as its cause', () => {
  expect(complaintError("rm: cannot remove './f': Permission denied\n", 'unlink', '/srv/f')).toMatchObject({
    code: 'EACCES',
    syscall: 'unlink',
    path: '/srv/f',
    cause: { message: "rm: cannot remove './f': Permission denied" },
  })
})
