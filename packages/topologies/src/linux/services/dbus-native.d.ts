/** The parts of the package that write and read messages; it brings no types for them. */
declare module '@homebridge/dbus-native/lib/message.js' {
  const codec: {
    /** A message as bytes, little-endian. */
    marshall(message: {
      readonly serial: number
      readonly type: number
      readonly path: string
      readonly interface: string
      readonly member: string
      readonly destination: string
      readonly signature?: string
      readonly body?: readonly unknown[]
    }): Buffer
  }
  export default codec
}
declare module '@homebridge/dbus-native/lib/dbus-buffer.js' {
  /** Reads values one after the other. */
  export default class DBusBuffer {
    constructor(bytes: Buffer, start: number, options: { readonly littleEndian: boolean })
    /** Values of these types; a variant as its type and a list of its value. */
    read(signature: string): readonly unknown[]
    /** To a multiple of two to the power. */
    align(power: number): void
  }
}
