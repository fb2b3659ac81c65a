//! The schema: the migrations, run by whoever opens the database, or written out for an SQL editor.

use sqlx::migrate::Migrator;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
/// The whole schema as one script that makes an empty database one of ours: a start finds it up to date.
#[must_use]
pub fn schema_as_sql() -> String {
    let mut sql = "-- The schema of dialdeck, for an empty database.\n\
        CREATE TABLE _sqlx_migrations (\n    version BIGINT PRIMARY KEY,\n    description TEXT NOT NULL,\n    \
        installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    success BOOLEAN NOT NULL,\n    checksum BLOB NOT NULL,\n    \
        execution_time BIGINT NOT NULL\n);\n"
        .to_owned();
    for m in MIGRATIONS.iter() {
        let (name, checksum) = (m.description.replace('\'', "''"), hex(&m.checksum));
        sql.push_str(&format!("\n-- {}: {}\n{}\n", m.version, m.description, m.sql.as_str().trim_end()));
        sql.push_str(&format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES ({}, '{name}', TRUE, x'{checksum}', 0);\n",
            m.version
        ));
    }
    sql
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        out.push_str(&format!("{b:02x}"));
        out
    })
}
