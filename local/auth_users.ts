// The users of the stand-in for Supabase Auth, in the table auth.users.
import postgres from "postgres";

/** A user as stored. */
export interface User {
  id: string;
  email: string | null;
  is_anonymous: boolean;
  raw_app_meta_data: Record<string, unknown>;
  raw_user_meta_data: Record<string, unknown>;
  created_at: Date;
}

/** The fields of a new user. An anonymous user has neither an address nor a password. */
export interface NewUser {
  email: string | null;
  password: string | null;
  data: Record<string, unknown>;
}

/** The stored users. */
export interface Users {
  /** Undefined when the address is taken. */
  create(user: NewUser): Promise<User | undefined>;
  /** Undefined when there is no such user, or the password is another. */
  signIn(email: string, password: string): Promise<User | undefined>;
  find(id: string | undefined): Promise<User | undefined>;
  findByEmail(email: string): Promise<User | undefined>;
}

const COLUMNS = [
  "id",
  "email",
  "is_anonymous",
  "raw_app_meta_data",
  "raw_user_meta_data",
  "created_at",
];

/** Opens the users of a database over a superuser's connections. */
export function openUsers(sql: postgres.Sql): Users {
  return {
    async create({ email, password, data }) {
      const provider = email === null ? {} : { provider: "email", providers: ["email"] };
      const [user] = await sql<User[]>`
        insert into auth.users
          (email, encrypted_password, is_anonymous, raw_app_meta_data, raw_user_meta_data)
        values (
          lower(${email}::text), extensions.crypt(${password}::text, extensions.gen_salt('bf')),
          ${email === null}, ${sql.json(provider)}, ${sql.json(data as postgres.JSONValue)}
        )
        on conflict do nothing
        returning ${sql(COLUMNS)}`;
      return user;
    },
    async signIn(email, password) {
      const [user] = await sql<User[]>`
        update auth.users set last_sign_in_at = now()
        where email = lower(${email})
          and encrypted_password = extensions.crypt(${password}, encrypted_password)
        returning ${sql(COLUMNS)}`;
      return user;
    },
    async findByEmail(email) {
      const [user] = await sql<User[]>`
        select ${sql(COLUMNS)} from auth.users where email = lower(${email})`;
      return user;
    },
    async find(id) {
      const [user] = await sql<User[]>`
        select ${sql(COLUMNS)} from auth.users where id = ${id ?? null}`;
      return user;
    },
  };
}
