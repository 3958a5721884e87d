import { readFileSync } from 'node:fs';

/** `spec/vectors/ms-turn.json`. */
export const msVectors = JSON.parse(
  readFileSync(new URL('../../../../spec/vectors/ms-turn.json', import.meta.url), 'utf8'),
) as {
  readonly key1_hex: string;
  readonly key2_hex: string;
  readonly username_hex: string;
  readonly username_b64: string;
  readonly password_hex: string;
  readonly realm: string;
  readonly md5_key_hex: string;
  readonly messages: Readonly<Record<VectorName, string>>;
};

export type VectorName =
  | '1_allocate_request'
  | '2_allocate_error_401'
  | '3_allocate_request_auth'
  | '4_allocate_success'
  | '5_send_request_libnice_order'
  | '6_data_indication'
  | '7_set_active_destination'
  | '8_set_active_destination_ok';

export function vectorBytes(name: VectorName): Buffer {
  return Buffer.from(msVectors.messages[name], 'hex');
}
