/**
 * The capability to keep what every host has exactly one of as wanted: its name, its time zone, and each setting of its
 * kernel. Such a thing is never made and never goes: it is set, and on removal it gets back the value that it had.
 */
import type { Json } from '../canonical.ts'
import { type Capability, capability } from '../capability.ts'

/** The name of a host as it is. */
export interface HostName {
  /** What it calls itself now. */
  readonly live: string
  /** What it will call itself after the next start; `undefined` when nothing says so. */
  readonly stored: string | undefined
  /** The name for people; empty when there is none. */
  readonly pretty: string
  /** Whether the host finds the wanted name without asking anybody. */
  readonly resolved: boolean
}

/** What a host is to be called. */
export interface HostNameWish {
  readonly name: string
  /** Left out, it stays as it is; empty, there is none. */
  readonly pretty?: string | undefined
}

/** The time zone of a host as it is. */
export interface TimeZone {
  /** As in the IANA database; `undefined` when the host has none, or a copy of one without a name. */
  readonly zone: string | undefined
  /** The name that is kept for programs beside it, as Debian does; `undefined` where none is. */
  readonly noted: string | undefined
}

/** The time zone that a host is to have. */
export interface TimeZoneWish {
  readonly zone: string
}

/** A setting of the kernel as it is. */
export interface KernelSetting {
  /** Now; words are separated by one space each. */
  readonly live: string
  /** Whether the wanted value is kept for the next start. */
  readonly kept: boolean
  /** What will be set at the next start, and by which line of which file; `undefined` when nothing says so. */
  readonly boot: { readonly value: string; readonly at: string } | undefined
}

/** A setting that the kernel is to have. */
export interface KernelSettingWish {
  /** With dots; a slash stands for a dot within a name: `net.ipv4.conf.eth0/1.forwarding`. */
  readonly key: string
  readonly value: string
}

/** What a setting was before it was first changed. Plain data: it is stored in the ledger. */
export type KeptSetting = { readonly [member: string]: Json }

/** How a setting is changed. */
export interface SettingChange {
  readonly signal?: AbortSignal | undefined
}

/**
 * One thing that every host has, and how it is set. Every change can be repeated: what is as wanted already is left
 * alone, so a pass that was killed between two parts of it is completed by the next one.
 */
export interface Setting<Wish, State> {
  /**
   * Never writes.
   * @throws HarmonyError `refused` when the host can never be as wanted: a zone or a setting that it does not know.
   */
  look(wish: Wish, how?: SettingChange): Promise<State>
  /** @throws HarmonyError `refused` when the host does not take it. */
  set(wish: Wish, how?: SettingChange): Promise<void>
  /** Keeps what is there. */
  keep(wish: Wish): Promise<KeptSetting>
  /** Puts back what was kept. */
  putBack(wish: Wish, kept: KeptSetting, how?: SettingChange): Promise<void>
  /** Removes what a killed `set` or `putBack` may have left. */
  cleanUp(wish: Wish): Promise<void>
}

/** The settings of one host. */
export interface SystemSettings {
  readonly hostName: Setting<HostNameWish, HostName>
  readonly timeZone: Setting<TimeZoneWish, TimeZone>
  /** What many ask for at the same time is one question to the host. */
  readonly kernel: Setting<KernelSettingWish, KernelSetting>
}

/** The capability token of {@link SystemSettings}. */
export const System: Capability<'system', SystemSettings> = capability<SystemSettings>()('system')
