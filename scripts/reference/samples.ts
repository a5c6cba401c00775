/** One Score of each kind, to show what it claims and what it stands on. */
import { type AnyScore, asset } from '@harmony-iac/core'
import { Directory, File, ShellJob, StaticSite, Symlink } from '@harmony-iac/scores'

/** By kind: as it is written, and the Score. */
export const samples: Readonly<Record<string, { readonly written: string; readonly score: AnyScore }>> = {
  File: sample(
    "File({ path: '/srv/site/index.html', content: asset('./index.html'), owner: 'www-data' })",
    File({ path: '/srv/site/index.html', content: asset('./index.html'), owner: 'www-data' }),
  ),
  Directory: sample(
    "Directory({ path: '/srv/site', mode: '0755', purge: true })",
    Directory({ path: '/srv/site', mode: '0755', purge: true }),
  ),
  Symlink: sample(
    "Symlink({ path: '/srv/current', target: 'site' })",
    Symlink({ path: '/srv/current', target: 'site' }),
  ),
  ShellJob: sample(
    "ShellJob({ name: 'schema', argv: ['/srv/app/migrate'], cwd: '/srv/app', creates: '/srv/app/schema.done' })",
    ShellJob({
      name: 'schema',
      argv: ['/srv/app/migrate'],
      cwd: '/srv/app',
      creates: '/srv/app/schema.done',
    }),
  ),
  StaticSite: sample(
    "StaticSite({ root: '/srv/site', pages: { 'index.html': '…', 'blog/first.html': '…' } })",
    StaticSite({ root: '/srv/site', pages: { 'index.html': '…', 'blog/first.html': '…' } }),
  ),
}

function sample(written: string, score: AnyScore) {
  return { written, score }
}
