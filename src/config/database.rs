//! Where the rows are: a file of this host, or a server that hosts share.

use super::reader::Reader;
use crate::domain::text::clean;

/// Whether a URL is of a PostgreSQL server.
#[must_use]
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Complains of URLs that are of no database; answers the one of the login that may change the schema.
pub(super) fn urls(r: &mut Reader) -> String {
    let url = r.text("database.url");
    if !url.is_empty() && !url.starts_with("sqlite:") && !is_postgres(&url) {
        let kind = clean(url.split(':').next().unwrap_or_default(), 20);
        r.complain("database.url", format!("\"{kind}\" is no database of this release: write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE"));
    }
    let migrate_url = r.text("database.migrate_url");
    if !migrate_url.is_empty() && !is_postgres(&migrate_url) {
        r.complain(
            "database.migrate_url",
            "it is the login that changes the schema of a PostgreSQL server: write postgres://USER:PASSWORD@HOST/DATABASE".to_owned(),
        );
    }
    migrate_url
}
