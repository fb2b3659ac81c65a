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
    /// A text that PostgreSQL cannot keep; SQLite can.
    #[error("a text has the letter U+0000 in it, which the database does not keep: write it without")]
    Letter,
    #[error("database: {0}")]
    Sqlx(sqlx::Error),
    /// A server that does not answer, or not now. What asks again is answered when it is back.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// A server or a session that must not be written to as it is.
    #[error("this database cannot be used as it is: {0}")]
    Unfit(String),
    /// A row of ours that no release of ours writes.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The name of the file that is open is gone, or another file's.
    #[error("the database file is no longer the one this process has open ({0}): put the same file back, or restart dialdeck")]
    Moved(String),
    /// A panic of the job; the log has its words.
    #[error("a part of the program broke down; nothing of it was kept, and the log has details")]
    Broken,
    /// The writer has stopped; the program is ending.
    #[error("the database is closed: the part of the program that writes has ended")]
    Closed,
}

/// SQLite's primary result codes for "not now".
const BUSY: i32 = 5;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const FULL: i32 = 13;

/// PostgreSQL's classes and codes for "not now", and for a server that is not there, or no longer.
const NOT_NOW: [&str; 6] = ["40", "53", "55P03", "57014", "58", "54"];
const AWAY: [&str; 4] = ["08", "57P", "25P03", "25006"];
/// This login may not.
const FORBIDDEN: &str = "42501";
/// A text that is none. Ours are all UTF-8, so it can only be the one letter that is not kept.
const NO_TEXT: &str = "22021";

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        let db = match &e {
            sqlx::Error::Database(db) => db,
            // Only a server is far.
            sqlx::Error::PoolTimedOut => return Self::Away("no connection to it is to be had".to_owned()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed => return Self::Away(e.to_string()),
            sqlx::Error::Configuration(why) => return Self::Unfit(why.to_string()),
            _ => return Self::Sqlx(e),
        };
        if db.is_unique_violation() {
            return Self::Unique;
        }
        let (code, words) = (db.code().unwrap_or_default(), db.message().to_owned());
        if db.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
            let is = |codes: &[&str]| codes.iter().any(|c| code.starts_with(c));
            return match code.as_ref() {
                _ if is(&AWAY) => Self::Away(words),
                _ if is(&NOT_NOW) => Self::Busy(words),
                NO_TEXT => Self::Letter,
                FORBIDDEN => Self::Unfit(format!("{words}: `dialdeck migrate` gives a login its rights")),
                _ => Self::Sqlx(e),
            };
        }
        // SQLite's extended codes keep the primary one in their lowest byte.
        let primary = code.parse::<i32>().ok().map(|c| c & 0xff);
        if primary.is_some_and(|c| [BUSY, READONLY, IOERR, FULL].contains(&c)) {
            return Self::Busy(words);
        }
        Self::Sqlx(e)
    }
}

impl StoreError {
    /// A row is no longer as it was read in this transaction: all of it must be undone.
    #[must_use]
    pub fn moved() -> Self {
        Self::Busy("a call was moved meanwhile".to_owned())
    }

    /// A copy for each of many waiters of one failed commit.
    #[must_use]
    pub fn echo(&self) -> Self {
        match self {
            Self::Moved(why) => Self::Moved(why.clone()),
            Self::Busy(why) => Self::Busy(why.clone()),
            Self::Away(why) => Self::Away(why.clone()),
            Self::Unfit(why) => Self::Unfit(why.clone()),
            e => Self::Busy(e.to_string()),
        }
    }
}
