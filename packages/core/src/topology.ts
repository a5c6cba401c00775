/**
 * A topology is a named place whose properties are the capabilities that it offers. Any object with a `name` and the
 * right properties is one, so that a third party extends Harmony with a plain package.
 */
import type { StateHome } from './ledger/home.ts'

/** A place that Scores are deployed to. */
export interface Topology {
  /** Unique within a project; part of every address: `project/topology/Kind:identity`. */
  readonly name: string
  /**
   * Where the ledger of this place is kept. A Linux host keeps its own; a place without a memory of its own (an
   * appliance behind an API) leaves it out, and the ledger is then kept on the machine that runs Harmony. Asked for
   * after {@link Topology.open}.
   */
  readonly home?: StateHome | undefined
  /** Called once before a pass uses the topology, and never by commands that only read the project. */
  open?(signal: AbortSignal): Promise<void>
  /** Called when the command is done with the topology; idempotent. */
  close?(): Promise<void>
}

/** Stands in for a topology that lives on a device: the type is known here, the object exists only there. */
export interface Remote<out T> {
  readonly device?: string
  readonly selector?: string
  /** Type only. */
  readonly '~runs': T
}

/** What `device('x')` stands for when its type argument was forgotten: offers nothing, so the compiler speaks up. */
export interface UnknownTopology extends Topology {}

/** The Harmony agent with this id: `deploy(device<PiTopology>('kiosk-1'), scores)`. */
export function device<T extends Topology = UnknownTopology>(id: string): Remote<T> {
  return { device: id } as never
}

/** All agents whose labels match: `deploy(fleet<PiTopology>('site=berlin'), scores)`. */
export function fleet<T extends Topology = UnknownTopology>(selector: string): Remote<T> {
  return { selector } as never
}
