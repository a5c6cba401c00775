/** The name of the host that needs no name. */
export const thisMachine = 'this machine'
