import { conduct, SimulatedTopology } from '@harmony-iac/core/testing'
import { File, Directory, ShellJob, StaticSite, Symlink } from './index.ts'
import { asset, secret } from '@harmony-iac/core'
const here = new SimulatedTopology({files:{'/srv/x':'1','/srv/old/a':'b','/srv/old/keep/z':'z'}})
const f = File({path:'/srv/site/a', content: 'hello', mode:'0640', owner:'www-data'})
const p = conduct(here, [Directory({path:'/srv/site'}), f, File({path:'/etc/s',content:secret('x')}), File({path:'/etc/as',content:asset('./a')}),
 Directory({path:'/srv/old',purge:true,exclude:['keep']}), Symlink({path:'/srv/l',target:'site/a'}), ShellJob({name:'j',argv:['x'],creates:'/srv/made', rerunOn:[f], env:{A:secret('y')}}),
 StaticSite({root:'/srv/www',pages:{'i.html':'1','b/c.html':'2'}})], {assets:{'./a':'asset'}})
here.shell.on('x',(c,d)=>{d.write('/srv/made','m'); return {stdout:'hi '+c.options.env?.A}})
const before = here.snapshot()
console.log((await p.plan()).steps.map(s=>[s.address,s.action,JSON.stringify(s.differences)]), here.writes.length)
let r = await p.apply()
console.log(r.outcomes, r.changed, r.results.filter(x=>x.error), r.events.filter(e=>e.type==='audit').map(e=>JSON.stringify(e)))
console.log(here.snapshot()); const n = here.writes.length
r = await p.apply(); console.log(r.outcomes, r.changed, here.writes.slice(n))
here.disk.write('/srv/site/a','x'); console.log((await p.drift()).entries.map(e=>[e.address,JSON.stringify(e.differences)]))
r = await p.apply(); console.log(r.outcomes, r.events.filter(e=>e.type==='reaction'))
console.log((await p.plan()).steps.filter(s=>s.action!=='unchanged'))
r = await p.destroy(); console.log(r.outcomes, r.results.filter(x=>x.error)); console.log(before, here.snapshot(), here.home.stored)
