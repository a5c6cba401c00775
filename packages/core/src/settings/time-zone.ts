/** The time zone of a Linux host: the link localtime(5), and the name that Debian keeps in `/etc/timezone` beside it. */
import type { Setting, TimeZone, TimeZoneWish } from '../capabilities/system.ts'
import { HarmonyError } from '../errors.ts'
import { near } from './near.ts'
import { putBackEntry, readText, type SettingsOn, writeText } from './on.ts'

const link = '/etc/localtime'
const noted = '/etc/timezone'
const data = '/usr/share/zoneinfo'

/** The time zone of a host. */
export function timeZoneOn(on: SettingsOn): Setting<TimeZoneWish, TimeZone> {
  const { files } = on

  async function now(): Promise<TimeZone> {
    const [at, { text }] = await Promise.all([files.inspect(link), readText(files, noted)])
    const [, zone] = (at.type === 'symlink' && /(?:^|\/)zoneinfo\/(.+)$/.exec(at.target)) || []
    return { zone, noted: text?.trim() }
  }

  async function demandZone(zone: string): Promise<void> {
    if (on.zones) {
      if (!on.zones.includes(zone)) throw unknownZone(zone, on.zones)
      return
    }
    const { type } = await files.inspect(`${data}/${zone}`)
    if (type === 'file' || type === 'symlink') return
    throw unknownZone(
      zone,
      (await files.list(data)).map(({ path }) => path.slice(data.length + 1)),
    )
  }

  return {
    async look({ zone }) {
      await demandZone(zone)
      return await now()
    },

    async set({ zone }, { signal } = {}) {
      await demandZone(zone)
      if ((await now()).zone !== zone) await on.announce?.('time zone', zone)
      const entry = await files.inspect(link)
      if ((await now()).zone !== zone)
        // As systemd writes it: it leads to the same zone from wherever the root file system is mounted.
        await files.makeSymlink(link, `..${data}/${zone}`, {
          folder: entry.folder,
          fingerprint: entry.type === 'absent' ? 'absent' : entry.fingerprint,
        })
      const file = await readText(files, noted)
      if (file.text !== undefined && file.text.trim() !== zone)
        await writeText(files, noted, file, `${zone}\n`, signal)
    },

    keep: async () => ({ link: await files.keep(link), noted: await files.keep(noted) }),

    async putBack(_, kept) {
      await putBackEntry(files, link, kept, 'link')
      await putBackEntry(files, noted, kept, 'noted')
    },

    async cleanUp() {
      await files.cleanUp(link)
      await files.cleanUp(noted)
    },
  }
}

function unknownZone(zone: string, zones: readonly string[]): HarmonyError {
  if (zones.length === 0)
    return new HarmonyError('refused', `there are no time zones on this host: ${data} is not there`, {
      hint: "install them first: Package({ name: 'tzdata' }), or by hand: apt-get install tzdata",
      data: { zone },
    })
  const known = zones.filter((each) => !/^(?:posix|right)\/|\.(?:tab|zi|list)$/.test(each))
  const nearest = near(zone, known)
  return new HarmonyError('refused', `there is no time zone ${zone} on this host`, {
    hint:
      nearest.length > 0
        ? `did you mean ${nearest.join(' or ')}? Zones are named after a city: Europe/Berlin`
        : 'zones are named after a city, such as Europe/Berlin; timedatectl list-timezones lists them',
    data: { zone, near: nearest },
  })
}
