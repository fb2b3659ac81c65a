//! PostgreSQL's schema: brought up to date by whoever may, checked by everybody.

use std::str::FromStr;

use sqlx::{
    Connection, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};

use super::StoreError;

pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

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
    /// The login passes by the closed doors between owners, as a superuser does.
    pub passes_by_owners: bool,
}

/// Brings the database of a `postgres://` URL up to date; one that is so is not touched, and needs no right to.
///
/// # Errors
/// In words that name the server and the way out.
pub async fn migrate_postgres(url: &str) -> Result<Migrated, StoreError> {
    let options =
        PgConnectOptions::from_str(url).map_err(|e| StoreError::Open { path: "postgres://...".into(), why: format!("the URL cannot be read: {e}") })?;
    let place = place_of(&options);
    let failed = |e: sqlx::Error| StoreError::Open { path: place.clone(), why: e.to_string() };
    let mut db = PgConnection::connect_with(&options).await.map_err(failed)?;
    let before = applied(&mut db).await.map_err(failed)?;
    let newest = POSTGRES.iter().map(|m| m.version).max().unwrap_or_default();
    if let Some(unknown) = before.iter().find(|v| !POSTGRES.version_exists(**v)) {
        return Err(StoreError::Newer(format!("migration {unknown} of {place} is unknown here; run the newer release")));
    }
    if !before.contains(&newest) {
        run(&mut db).await.map_err(|e| StoreError::Open { path: place.clone(), why: words(&e) })?;
    }
    let name = POSTGRES.iter().last().map_or_else(String::new, |m| m.description.to_string());
    let passes = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let passes_by_owners = sqlx::query_scalar(passes).fetch_one(&mut db).await.map_err(failed)?;
    db.close().await.map_err(failed)?;
    Ok(Migrated { place, version: newest, name, applied: POSTGRES.iter().count() - before.len(), passes_by_owners })
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

async fn run(db: &mut PgConnection) -> Result<(), MigrateError> {
    // Whoever else is at the tables is not waited for without end; a large table takes the time that it takes.
    sqlx::raw_sql("SET lock_timeout = '30s'; SET statement_timeout = 0").execute(&mut *db).await?;
    POSTGRES.run(db).await
}

/// What kept a migration from being applied, and the way out.
fn words(e: &MigrateError) -> String {
    let (MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) = e else { return e.to_string() };
    let code = source.as_database_error().and_then(|d| d.code());
    match code.as_deref() {
        Some("42501") => format!("its schema is not up to date, and this login may not change it ({source}): name one that may in [database] migrate_url"),
        Some("55P03") => format!("somebody else is at its tables ({source}): end the other programs on it, then again"),
        _ => e.to_string(),
    }
}
