//! What can go wrong with a database, as far as callers branch on it.

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the database {path}: {why}")]
    Open { path: String, why: String },
    /// Locked or full: try again later.
    #[error("the database is busy or its disk is full: {0}")]
    Busy(String),
    #[error("the database was made by a newer dialdeck: {0}")]
    Newer(String),
    #[error("a row with this key exists already")]
    Unique,
    #[error("database: {0}")]
    Sqlx(sqlx::Error),
    /// The writer has stopped; the program is ending.
    #[error("the database is closed")]
    Closed,
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        if let sqlx::Error::Database(db) = &e {
            if db.is_unique_violation() {
                return Self::Unique;
            }
            let text = db.message();
            if ["database is locked", "disk is full", "disk I/O error", "readonly database"].iter().any(|t| text.contains(t)) {
                return Self::Busy(text.to_owned());
            }
        }
        Self::Sqlx(e)
    }
}

impl StoreError {
    /// A copy for each of many waiters of one failed commit.
    #[must_use]
    pub fn echo(&self) -> Self {
        Self::Busy(self.to_string())
    }
}
