// What a person would write without a tool: the least that does the job, in plain Node, synchronously.
//   bare.mjs check DIR N     reads every file and compares content and mode; exits 1 if anything differs
//   bare.mjs write DIR N     writes every file durably: temporary file, fsync, rename, one fsync of the folder
import fs from 'node:fs'

const [, , verb, dir, count] = process.argv
const want = (i) => `peer-baseline file ${i} ${'x'.repeat(39)}\n`
let differing = 0

if (verb === 'check') {
  const buffer = Buffer.allocUnsafe(128)
  for (let i = 1001; i < 1001 + Number(count); i++) {
    const fd = fs.openSync(`${dir}/f${i}`, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
    const { mode } = fs.fstatSync(fd)
    const size = fs.readSync(fd, buffer, 0, 128, 0)
    fs.closeSync(fd)
    if ((mode & 0o7777) !== 0o640 || buffer.latin1Slice(0, size) !== want(i)) differing++
  }
} else {
  fs.mkdirSync(dir, { mode: 0o755 })
  for (let i = 1001; i < 1001 + Number(count); i++) {
    const fd = fs.openSync(`${dir}/.tmp`, 'wx', 0o640)
    fs.writeSync(fd, want(i))
    fs.fsyncSync(fd)
    fs.closeSync(fd)
    fs.renameSync(`${dir}/.tmp`, `${dir}/f${i}`)
  }
  const folder = fs.openSync(dir, 'r')
  fs.fsyncSync(folder)
  fs.closeSync(folder)
}
process.exitCode = differing === 0 ? 0 : 1
