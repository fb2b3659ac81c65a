//! PostgreSQL's schema: brought up to date by whoever may, checked by everybody, and the countries of numbers that
//! were taken over from the system before, which its tables do not know.

use std::str::FromStr;

use sqlx::{
    AssertSqlSafe, Connection, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use uuid::Uuid;

use super::StoreError;
use crate::domain::phone::PhoneNumber;

pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Where the tables are looked for: schema `dialdeck` has the view `calls` where the system before has a table of that
/// name, and the whole schema where an administrator made one.
pub const SEARCH_PATH: &str = "SELECT set_config('search_path', 'dialdeck, ' || current_setting('search_path'), false)";

/// Held by who changes the schema, from before it looks what there is.
const CHANGING: i64 = 0x6469_616c_6465_636b;

/// A database whose schema is up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Server and database, without the password.
    pub place: String,
    /// The newest migration and its name.
    pub version: i64,
    pub name: String,
    /// How many were applied just now.
    pub applied: usize,
    /// Rows of the system before, whose numbers' countries were written just now.
    pub adopted: u64,
    /// The login passes by the closed doors between owners, as a superuser does.
    pub passes_by_owners: bool,
}

/// Brings the database of a `postgres://` URL up to date; one that is so is not touched, and needs no right to.
///
/// # Errors
/// In words that name the server and the way out.
pub async fn migrate_postgres(url: &str) -> Result<Migrated, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|e| StoreError::Open { path: "postgres://...".into(), why: format!("{e}. Write postgres://USER:PASSWORD@HOST:5432/DATABASE") })?;
    let place = place_of(&options);
    let failed = |e: sqlx::Error| StoreError::Open { path: place.clone(), why: reading(&e) };
    let mut db = PgConnection::connect_with(&options).await.map_err(failed)?;
    let before = applied(&mut db).await.map_err(failed)?;
    let applied = if up_to_date(&before, &place)? { 0 } else { change(&mut db, &place).await? };
    let adopted = adopted(&mut db).await.map_err(failed)?;
    let passes = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user";
    let passes_by_owners = sqlx::query_scalar(passes).fetch_one(&mut db).await.map_err(failed)?;
    db.close().await.map_err(failed)?;
    let (version, name) = POSTGRES.iter().last().map_or((0, String::new()), |m| (m.version, m.description.to_string()));
    Ok(Migrated { place, version, name, applied, adopted, passes_by_owners })
}

/// A server and its database as they are told to people.
fn place_of(options: &PgConnectOptions) -> String {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
    format!("{} at {host}:{}", options.get_database().unwrap_or("the database"), options.get_port())
}

/// The migrations that the database has had.
async fn applied(db: &mut PgConnection) -> Result<Vec<i64>, sqlx::Error> {
    let any: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut *db).await?;
    if !any {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(db).await
}

/// Whether nothing is left to be applied; a database of a newer release is refused.
fn up_to_date(applied: &[i64], place: &str) -> Result<bool, StoreError> {
    match applied.iter().find(|v| !POSTGRES.version_exists(**v)) {
        Some(unknown) => Err(StoreError::Newer(format!("migration {unknown} of {place} is unknown here; run the newer release"))),
        None => Ok(POSTGRES.iter().all(|m| applied.contains(&m.version))),
    }
}

/// Applies what is missing, all of it or nothing; how many migrations those were.
async fn change(db: &mut PgConnection, place: &str) -> Result<usize, StoreError> {
    let failed = |e: sqlx::Error| StoreError::Open { path: place.to_owned(), why: changing(&e) };
    // Whoever else is at the tables is not waited for without end; a large table takes the time that it takes.
    sqlx::raw_sql("SET lock_timeout = '30s'; SET statement_timeout = 0").execute(&mut *db).await.map_err(failed)?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(CHANGING).execute(&mut *db).await.map_err(failed)?;
    // Another host may have done it while this one waited.
    let before = applied(&mut *db).await.map_err(failed)?;
    if up_to_date(&before, place)? {
        return Ok(0);
    }
    let mut tx = db.begin().await.map_err(failed)?;
    POSTGRES.run(&mut *tx).await.map_err(|e| match e {
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => failed(e),
        e => StoreError::Open { path: place.to_owned(), why: e.to_string() },
    })?;
    tx.commit().await.map_err(failed)?;
    Ok(POSTGRES.iter().count() - before.len())
}

/// What kept a schema from being read, and the way out.
fn reading(e: &sqlx::Error) -> String {
    let Some(said) = e.as_database_error() else { return e.to_string() };
    match said.code().as_deref() {
        Some("42501") => format!("{said}: its owner lets this login in by GRANT authenticated, dialdeck_engine TO the login"),
        Some("42P05" | "26000") => {
            format!("{said}: a pooler in transaction mode stands before it. Use its session mode (Supabase: port 5432), or connect directly")
        }
        _ => said.to_string(),
    }
}

/// What kept a migration from being applied, and the way out.
fn changing(e: &sqlx::Error) -> String {
    let Some(said) = e.as_database_error() else { return e.to_string() };
    match said.code().as_deref() {
        Some("42501") => format!("its schema is not up to date, and this login may not change it ({said}): name one that may in [database] migrate_url"),
        Some("55P03") => format!("somebody else is at its tables ({said}): end the other programs on it, then again"),
        _ => said.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().map_or_else(|| said.to_string(), with_hint),
    }
}

fn with_hint(e: &sqlx::postgres::PgDatabaseError) -> String {
    e.hint().map_or_else(|| e.message().to_owned(), |hint| format!("{}. {hint}", e.message()))
}

/// Rows that were taken over, at once.
const SLICE: i64 = 5000;

/// Writes of which country the numbers are that were taken over, where that was not done yet; how many.
async fn adopted(db: &mut PgConnection) -> Result<u64, sqlx::Error> {
    // Who may not act as the engine leaves it to who may.
    let may: bool = sqlx::query_scalar("SELECT pg_has_role('dialdeck_engine', 'MEMBER')").fetch_one(&mut *db).await?;
    if !may {
        return Ok(0);
    }
    sqlx::raw_sql("SET ROLE dialdeck_engine").execute(&mut *db).await?;
    let waits: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM settings WHERE key = 'adopted')").fetch_one(&mut *db).await?;
    let mut all = 0;
    if waits {
        for table in ["contacts", "csv_contacts", "campaign_calls"] {
            all += countries(&mut *db, table).await?;
        }
        sqlx::query("DELETE FROM settings WHERE key = 'adopted'").execute(&mut *db).await?;
    }
    sqlx::raw_sql("RESET ROLE").execute(&mut *db).await?;
    Ok(all)
}

async fn countries(db: &mut PgConnection, table: &'static str) -> Result<u64, sqlx::Error> {
    let next = format!("SELECT id, phone_number FROM {table} WHERE country = '' AND id > $1 ORDER BY id LIMIT $2");
    // A number that has the form of one and is of no country is called by nobody.
    let refused = if table == "campaign_calls" { "" } else { ", do_not_call = t.do_not_call OR known.country = ''" };
    let write =
        format!("UPDATE {table} AS t SET country = known.country{refused} FROM unnest($1::uuid[], $2::text[]) AS known (id, country) WHERE t.id = known.id");
    let (mut after, mut all) = (Uuid::nil(), 0);
    loop {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(AssertSqlSafe(next.clone())).bind(after).bind(SLICE).fetch_all(&mut *db).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        after = last.0;
        let country = |number: &str| PhoneNumber::parse(number, None).map(|p| p.country).unwrap_or_default();
        let (ids, countries): (Vec<Uuid>, Vec<String>) = rows.into_iter().map(|(id, number)| (id, country(&number))).unzip();
        all += sqlx::query(AssertSqlSafe(write.clone())).bind(ids).bind(countries).execute(&mut *db).await?.rows_affected();
    }
}

/// The whole schema as one script for an SQL editor: what a database has had already is passed over, so that it can
/// be run again, and a newer release's over an older one.
#[must_use]
pub fn postgres_as_sql() -> String {
    let mut sql = "-- The schema of dialdeck for PostgreSQL. It can be run again: what is there already is passed over.\n\
        BEGIN;\n\
        CREATE TABLE IF NOT EXISTS _sqlx_migrations (\n    version BIGINT PRIMARY KEY,\n    description TEXT NOT NULL,\n    \
        installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),\n    success BOOLEAN NOT NULL,\n    checksum BYTEA NOT NULL,\n    \
        execution_time BIGINT NOT NULL\n);\n"
        .to_owned();
    for m in POSTGRES.iter() {
        let (version, name) = (m.version, m.description.replace('\'', "''"));
        let checksum = super::schema::hex(&m.checksum);
        sql.push_str(&format!(
            "\n-- {version}: {}\nDO $dialdeck$\nBEGIN\nIF EXISTS (SELECT 1 FROM _sqlx_migrations WHERE version = {version}) THEN RETURN; END IF;\n\
             EXECUTE $dialdeck_sql$\n{}\n$dialdeck_sql$;\n\
             INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)\n\
             VALUES ({version}, '{name}', TRUE, '\\x{checksum}', 0);\nEND $dialdeck$;\n",
            m.description,
            m.sql.as_str().trim_end(),
        ));
    }
    sql.push_str("\nCOMMIT;\n");
    sql
}
