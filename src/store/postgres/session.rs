//! What a session at the server must be: its limits set and read back, the server one that can be written. A connection
//! where any of it differs writes nothing, and says so.

use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

use super::{
    super::{StoreError, pool::Whose, postgres_schema::SEARCH_PATH},
    connect,
};

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
fn writing(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().application_name("dialdeck writer").statement_cache_capacity(400)
}

/// A connection that may write: its limits are what was asked for, the server is one that can be written. The settings go
/// with the first packet; where a pooler keeps that from the server they are set in the session, if the session is this
/// process's alone. Says whether they had to be.
pub(super) async fn begin(options: &PgConnectOptions) -> Result<(PgConnection, bool), StoreError> {
    let bare = writing(options);
    let (mut conn, refused) = match connect(&bare.clone().options(LIMITS).options(ALIVE)).await {
        Err(e) if settings_refused(&e) => (connect(&bare).await.map_err(pooled)?, true),
        made => (made.map_err(pooled)?, false),
    };
    check_server(&mut conn).await?;
    let Some(wrong) = different(&mut conn).await? else { return Ok((conn, refused)) };
    if !is_ours_alone(&mut conn, &bare).await? {
        return Err(StoreError::Unfit(format!(
            "the session's {wrong}: a pooler in transaction mode takes such settings away, and without them one \
             process that hangs would hold all others. Use a direct connection, or the pooler's session mode (Supabase: port 5432)"
        )));
    }
    let set: Vec<String> = LIMITS.iter().chain(&ALIVE).map(|(name, value)| format!("SET {name} = '{value}'")).collect();
    sqlx::raw_sql(sqlx::AssertSqlSafe(set.join("; "))).execute(&mut conn).await?;
    match different(&mut conn).await? {
        None => Ok((conn, true)),
        Some(wrong) => Err(StoreError::Unfit(format!("the session's {wrong}, and cannot be set: without it one process that hangs would hold all others"))),
    }
}

/// A pooler that takes no settings with the first packet.
fn settings_refused(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|e| e.message().contains("unsupported startup parameter") && e.message().contains("options"))
}

/// The way out, where a pooler refuses what every session begins with.
pub(super) fn pooled(e: sqlx::Error) -> StoreError {
    match e.as_database_error().filter(|e| e.message().contains("unsupported startup parameter")) {
        Some(said) => StoreError::Unfit(format!(
            "{}: the pooler refuses it. Put ignore_startup_parameters = extra_float_digits, options into its configuration, in session mode, or connect directly",
            said.message()
        )),
        None => e.into(),
    }
}

/// For the connections that read; with a pooler before them their settings are set in the session.
pub(super) fn reading(options: &PgConnectOptions, pooled: bool) -> PgConnectOptions {
    let options = options.clone().application_name("dialdeck reader").statement_cache_capacity(300);
    if pooled { options } else { options.options(READS).options(ALIVE) }
}

/// Nothing that is read here runs long enough for a compiler to pay: it took half of what a list was counted in.
const READS: [(&str, &str); 3] = [("statement_timeout", "15s"), ("default_transaction_read_only", "on"), ("jit", "off")];

/// Whatever the first packet has brought: a pooler may have kept it.
pub(super) async fn as_reader(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let set: Vec<String> = READS.iter().map(|(name, value)| format!("SET {name} = '{value}'")).collect();
    sqlx::raw_sql(sqlx::AssertSqlSafe(set.join("; "))).execute(&mut *conn).await?;
    take_role(conn).await
}

/// Refuses a server that is too old, or takes no writes.
async fn check_server(conn: &mut PgConnection) -> Result<(), StoreError> {
    let row = sqlx::raw_sql("SELECT current_setting('server_version_num'), pg_is_in_recovery()").fetch_one(conn).await?;
    let version: i32 = row.try_get_unchecked::<String, _>(0)?.parse().unwrap_or(0);
    if version < OLDEST {
        return Err(StoreError::Unfit(format!("the server is PostgreSQL {}: 15 or newer is needed", version / 10_000)));
    }
    if row.try_get_unchecked::<String, _>(1)? == "t" {
        return Err(StoreError::Unfit("the server is a standby that only follows another: connect to the one that can be written".to_owned()));
    }
    Ok(())
}

/// The first setting that is not what it must be, in words. On a local socket there is no TCP to keep alive.
async fn different(conn: &mut PgConnection) -> Result<Option<String>, StoreError> {
    let shown: Vec<String> = LIMITS.iter().chain(&ALIVE).map(|(name, _)| format!("current_setting('{name}')")).collect();
    let sql = format!("SELECT inet_server_addr() IS NULL, {}", shown.join(", "));
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_one(&mut *conn).await?;
    let text = |i: usize| row.try_get_unchecked::<String, _>(i).map_err(StoreError::from);
    let looked_at = if text(0)? == "t" { LIMITS.len() } else { LIMITS.len() + ALIVE.len() };
    for (i, (name, wanted)) in LIMITS.iter().chain(&ALIVE).enumerate().take(looked_at) {
        let is = text(i + 1)?;
        if is != *wanted {
            return Ok(Some(format!("{name} is {is}, not {wanted}")));
        }
    }
    Ok(None)
}

/// How often a pooler is looked at: of several sessions at the server it gives the one that was used last.
const LOOKS: usize = 3;

/// Whether the session at the server belongs to this connection alone, also between transactions: while another
/// connection is in the middle of one, this one must still have its own.
async fn is_ours_alone(conn: &mut PgConnection, options: &PgConnectOptions) -> Result<bool, StoreError> {
    const NAME: &str = "dialdeck.session";
    const MINE: &str = "SELECT pg_backend_pid(), COALESCE(current_setting('dialdeck.session', true), '')";
    async fn session(conn: &mut PgConnection) -> Result<(String, String), sqlx::Error> {
        let row = sqlx::raw_sql(MINE).fetch_one(conn).await?;
        Ok((row.try_get_unchecked(0)?, row.try_get_unchecked(1)?))
    }
    let name = uuid::Uuid::new_v4().simple().to_string();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("SET {NAME} = '{name}'"))).execute(&mut *conn).await?;
    let mine = session(&mut *conn).await?;
    for _ in 0..LOOKS {
        let mut other = connect(options).await?;
        // A pooler may give a session for one statement only.
        let Ok(mut open) = other.begin().await else { return Ok(false) };
        let theirs = session(&mut open).await?;
        let still = session(&mut *conn).await;
        drop(open);
        drop(other.close().await);
        if theirs.0 == mine.0 || theirs.1 == name || mine.1 != name || !still.is_ok_and(|still| still == mine) {
            return Ok(false);
        }
    }
    Ok(true)
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
