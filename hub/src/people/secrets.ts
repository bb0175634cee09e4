import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 bits that nobody guesses, as text. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** What is kept of a secret. No slow hash: there is nothing to guess in 256 random bits. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** In a time that does not tell how much of it was right. */
export const isSame = (a: string, b: string): boolean => timingSafeEqual(hashOf(a), hashOf(b))
