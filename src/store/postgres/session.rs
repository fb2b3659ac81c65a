//! What a session at the server must be: its limits set and read back, the server one that can be written. A connection
//! where any of it differs writes nothing, and says so.

use sqlx::{PgConnection, Row, postgres::PgConnectOptions};

use super::super::{StoreError, pool::Whose, postgres_schema::SEARCH_PATH};

/// What keeps one process from holding the others: a holder that stops or is cut off loses the lock, and nothing of
/// it is kept. What a pooler takes away without a word is seen by reading it back.
const LIMITS: [(&str, &str); 5] = [
    ("idle_in_transaction_session_timeout", "3s"),
    ("statement_timeout", "15s"),
    ("lock_timeout", "10s"),
    ("synchronous_commit", "on"),
    ("default_transaction_isolation", "read committed"),
];

/// Over TCP the server finds out within seconds that this host is dead. On a local socket they mean nothing.
const ALIVE: [(&str, &str); 4] = [("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3"), ("tcp_user_timeout", "8000")];

/// The oldest release of PostgreSQL that this was tried with.
const OLDEST: i32 = 150_000;

/// For the connection that writes.
pub(super) fn writing(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().application_name("dialdeck writer").statement_cache_capacity(400).options(LIMITS).options(ALIVE)
}

/// For the connections that read.
pub(super) fn reading(options: &PgConnectOptions) -> PgConnectOptions {
    options
        .clone()
        .application_name("dialdeck reader")
        .statement_cache_capacity(300)
        .options([("statement_timeout", "15s"), ("default_transaction_read_only", "on")])
        .options(ALIVE)
}

/// Refuses a session whose limits are not what was asked for, and a server that takes no writes.
pub(super) async fn check(conn: &mut PgConnection) -> Result<(), StoreError> {
    let shown: Vec<String> = LIMITS.iter().map(|(name, _)| format!("current_setting('{name}')")).collect();
    let sql = format!("SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), {}", shown.join(", "));
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_one(&mut *conn).await?;
    let text = |i: usize| row.try_get_unchecked::<String, _>(i).map_err(StoreError::from);
    let version: i32 = text(0)?.parse().unwrap_or(0);
    if version < OLDEST {
        return Err(StoreError::Unfit(format!("the server is PostgreSQL {}: 15 or newer is needed", version / 10_000)));
    }
    if text(1)? == "t" {
        return Err(StoreError::Unfit("the server is a standby that only follows another: connect to the one that can be written".to_owned()));
    }
    for (i, (name, wanted)) in LIMITS.iter().enumerate() {
        let is = text(i + 2)?;
        if is != *wanted {
            return Err(StoreError::Unfit(format!(
                "the session's {name} is {is}, not {wanted}: a pooler in transaction mode takes such settings away, and without them one \
                 process that hangs would hold all others. Use a direct connection, or the pooler's session mode (Supabase: port 5432)"
            )));
        }
    }
    Ok(())
}

/// The roles that a login acts as: users, each by their claims, and the engine.
const ROLES: [&str; 2] = ["authenticated", "dialdeck_engine"];

/// Works as the engine's role: a login that may not sees no row, and would be taken for one on an empty database.
pub(super) async fn take_role(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SEARCH_PATH).execute(&mut *conn).await?;
    let sql = "SELECT session_user::text, ARRAY(SELECT name FROM unnest($1::text[]) AS name
                   WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name AND pg_has_role(session_user, oid, 'MEMBER')))";
    let (login, missing): (String, Vec<String>) = sqlx::query_as(sql).bind(ROLES.as_slice()).fetch_one(&mut *conn).await?;
    if !missing.is_empty() {
        let roles = missing.join(", ");
        let words = format!("the login {login} may not act as {roles}: whoever made the schema gives it that with GRANT {roles} TO \"{login}\"");
        return Err(sqlx::Error::Configuration(words.into()));
    }
    be_engine(conn).await
}

/// The engine's again, whoever's it was.
pub(super) async fn be_engine(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(acting_as(None, false))).execute(conn).await.map(|_| ())
}

/// The statement by which a session works as a user, or as the engine: for a transaction, or from then on. Role and
/// claims change together, always both.
pub(super) fn acting_as(whose: Whose, in_transaction: bool) -> String {
    let (role, claims) = match whose {
        Some(owner) => (ROLES[0], format!(r#"{{"sub":"{owner}","role":"{}"}}"#, ROLES[0])),
        None => (ROLES[1], String::new()),
    };
    format!("SELECT set_config('role', '{role}', {in_transaction}), set_config('request.jwt.claims', '{claims}', {in_transaction})")
}

/// Refuses in words a login that may not even read which migrations there were.
pub(super) async fn check_login(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SEARCH_PATH).execute(&mut *conn).await?;
    let closed = "SELECT COALESCE(NOT has_table_privilege(to_regclass('_sqlx_migrations'), 'SELECT'), FALSE)";
    if sqlx::query_scalar(closed).fetch_one(&mut *conn).await? { take_role(conn).await } else { Ok(()) }
}
