/** The names this machine calls itself by, whatever others call it. */
export const loopbackNames = ['localhost', '127.0.0.1', '::1'] as const

/** Whether only this machine reaches a listener on `host`, or only itself is meant by a URL's host name. */
export const isLoopback = (host: string): boolean =>
  /^(127(\.\d+){3}|::1|\[::1\]|localhost)$/i.test(host)
