/** Where the network can run. */
export const devices = ['cpu', 'webgpu', 'cuda'] as const

export type Device = (typeof devices)[number]
