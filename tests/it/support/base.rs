//! The database of one test, of the kind that the run asks for: a file of SQLite, or with
//! `DIALDECK_TEST_DATABASE=postgres` a database of the tests' own PostgreSQL server. Nothing else of a test knows which
//! it is, but where it says `only_a_file!`.

use dialdeck::store::Store;
use sqlx::{Connection, Decode, PgConnection, Postgres, Sqlite, SqliteConnection, Type};

use super::postgres::{self, Database};

pub struct Base {
    /// Where files of the test are; that of SQLite is `t.db`.
    pub dir: tempfile::TempDir,
    url: String,
    _server: Option<Database>,
}

/// Whether this run is one on PostgreSQL.
pub fn on_a_server() -> bool {
    match std::env::var("DIALDECK_TEST_DATABASE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite" | "") | Err(_) => false,
        Ok(other) => panic!("DIALDECK_TEST_DATABASE={other}: sqlite or postgres"),
    }
}

/// How many of a test's many worlds are tried on a server, where each costs a database; `all` of them on a file.
pub fn share<T>(all: T, on_server: T) -> T {
    if on_a_server() { on_server } else { all }
}

/// Marks a test of what only a file has: its locks, its copies, its log, statements in SQLite's own words. A run on
/// PostgreSQL passes it over.
macro_rules! only_a_file {
    ($why:literal) => {
        if $crate::support::base::on_a_server() {
            return;
        }
    };
}
pub(crate) use only_a_file;

impl Base {
    /// In memory where the machine has such a place, as a file.
    pub async fn fresh() -> Self {
        let dir = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self::in_folder(dir).await
    }

    pub async fn in_folder(dir: tempfile::TempDir) -> Self {
        let server = if on_a_server() { Some(postgres::database().await.expect("DIALDECK_TEST_DATABASE=postgres needs PostgreSQL's programs")) } else { None };
        Self::over(dir, server)
    }

    /// On a server in any run; where its programs are missing a file.
    pub async fn on_a_server_in(dir: tempfile::TempDir) -> Self {
        Self::over(dir, postgres::database().await)
    }

    /// The database of a URL, which somebody else holds.
    pub fn at(dir: tempfile::TempDir, url: String) -> Self {
        Self { dir, url, _server: None }
    }

    fn over(dir: tempfile::TempDir, server: Option<Database>) -> Self {
        let url = server.as_ref().map_or_else(|| format!("sqlite:{}", dir.path().join("t.db").display()), |s| s.url.clone());
        Self { dir, url, _server: server }
    }

    fn is_on_a_server(&self) -> bool {
        self.url.starts_with("postgres")
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// A connection past the program.
    pub async fn connect(&self) -> Beside {
        if self.is_on_a_server() {
            Beside::Postgres(PgConnection::connect(&self.url).await.unwrap())
        } else {
            Beside::Sqlite(SqliteConnection::connect(self.url.trim_start_matches("sqlite:")).await.unwrap())
        }
    }

    /// Statements past the program, in words that both kinds understand.
    pub async fn run(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql);
        match self.connect().await {
            Beside::Postgres(mut db) => drop(sqlx::raw_sql(sql).execute(&mut db).await.unwrap()),
            Beside::Sqlite(mut db) => drop(sqlx::raw_sql(sql).execute(&mut db).await.unwrap()),
        }
    }

    /// The same where the kinds have no words in common.
    pub async fn run_in_its_words(&self, sqlite: &str, postgres: &str) {
        self.run(if self.is_on_a_server() { postgres } else { sqlite }).await;
    }

    /// The lease of a host that dialled is over: on a server it goes by the server's clock, whatever the test's says.
    pub async fn lease_runs_out(&self) {
        if self.is_on_a_server() {
            self.run("UPDATE dialling SET until = clock_timestamp()").await;
        }
    }

    /// One column of all rows, asked past the program.
    pub async fn column<T: OfBoth>(&self, sql: &str) -> Vec<T> {
        self.connect().await.column(sql).await
    }

    /// One value, of the one row there is.
    pub async fn one<T: OfBoth>(&self, sql: &str) -> T {
        self.column(sql).await.pop().unwrap()
    }
}

/// A connection to a test's database beside the program's own.
pub enum Beside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Beside {
    pub async fn column<T: OfBoth>(&mut self, sql: &str) -> Vec<T> {
        let sql = sqlx::AssertSqlSafe(sql);
        match self {
            Self::Postgres(db) => sqlx::query_scalar(sql).fetch_all(db).await.unwrap(),
            Self::Sqlite(db) => sqlx::query_scalar(sql).fetch_all(db).await.unwrap(),
        }
    }
}

/// What both kinds of database can answer.
pub trait OfBoth: Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres> + Send + Unpin {}

impl<T> OfBoth for T where T: Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres> + Send + Unpin {}
