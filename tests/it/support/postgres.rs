//! A PostgreSQL server of this test process: started when it is first asked for, shared by all tests, stopped when
//! the process ends, however it ends. Each test has a database of its own, copied from one that has the schema.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, PgConnection};

/// The database that the others are copied from.
const TEMPLATE: &str = "dialdeck_template";

struct Server {
    port: u16,
    /// Where the programs of this server are.
    bin: PathBuf,
    /// Open as long as this lives: at its end the server is stopped.
    alive: Mutex<ChildStdin>,
}

/// A server of one test alone, which it may restart.
pub struct Cluster(Server);

/// How a server is stopped.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// As in a crash of its own: what was committed is found in its log at the next start.
    Crash,
    /// As an administrator does it, without waiting for anybody.
    Fast,
}

impl Cluster {
    /// `None` where PostgreSQL's programs are missing.
    pub fn own() -> Option<Self> {
        start().map(Self)
    }

    /// A database with the schema; its URL.
    pub async fn database(&self, name: &str) -> String {
        let mut db = PgConnection::connect(&self.0.url("postgres")).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))).execute(&mut db).await.unwrap();
        self.0.url(name)
    }

    /// A copy of it that follows what is written here.
    pub fn standby(&self) -> Self {
        let bin = self.0.bin.clone();
        let dir = tempfile::tempdir().unwrap().keep();
        let user = unprivileged(&dir);
        let data = dir.join("data");
        let mut copy = run_as(user, &bin.join("pg_basebackup"));
        copy.args(["-R", "-X", "stream", "-c", "fast", "--no-sync", "-d"]).arg(self.0.url("postgres")).arg("-D").arg(&data);
        let made = copy.current_dir(&dir).output().unwrap();
        assert!(made.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&made.stderr));
        let (port, mut child) = listening(user, &bin, &dir, &data);
        let alive = Mutex::new(child.stdin.take().unwrap());
        std::thread::spawn(move || child.wait());
        Self(Server { port, bin, alive })
    }

    /// The URL of a database that it has.
    pub fn url(&self, name: &str) -> String {
        self.0.url(name)
    }

    /// Stops it and starts it again; who looks finds it away meanwhile.
    pub fn restart(&self, stop: Stop) {
        let signal: &[u8] = match stop {
            Stop::Crash => b"QUIT\n",
            Stop::Fast => b"INT\n",
        };
        self.0.alive.lock().unwrap().write_all(signal).unwrap();
    }
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of one test; it goes with this.
pub struct Database {
    pub name: String,
    /// As the superuser `postgres`.
    pub url: String,
}

/// A fresh database with the schema; `None` where PostgreSQL's programs are missing: then the test has nothing to do.
pub async fn database() -> Option<Database> {
    made(&format!("TEMPLATE {TEMPLATE}")).await
}

/// A fresh database without anything.
pub async fn empty_database() -> Option<Database> {
    made("TEMPLATE template0").await
}

/// The folder of PostgreSQL's programs, `psql` among them.
pub fn programs() -> Option<PathBuf> {
    server().map(|s| s.bin.clone())
}

async fn made(how: &str) -> Option<Database> {
    let server = tokio::task::spawn_blocking(server).await.unwrap()?;
    let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut db = PgConnection::connect(&server.url("postgres")).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} {how}"))).execute(&mut db).await.unwrap();
    Some(Database { url: server.url(&name), name })
}

impl Database {
    /// A connection of the superuser.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// The URL of another login, made here with rights as CREATE ROLE names them; its name is of this database alone.
    pub async fn login(&self, what: &str, rights: &str) -> String {
        let role = format!("{what}_{}", self.name);
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE ROLE {role} LOGIN {rights}"))).execute(&mut self.connect().await).await.unwrap();
        self.url.replacen("postgres://postgres@", &format!("postgres://{role}@"), 1)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(Some(server)) = SERVER.get() else { return };
        let (url, name) = (server.url("postgres"), self.name.clone());
        // A test may end inside its runtime, which waits for nobody.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let mut db = PgConnection::connect(&url).await.unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).execute(&mut db).await
            })
        });
        drop(dropped.join());
    }
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

fn server() -> Option<&'static Server> {
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
    let Some(bin) = found() else {
        assert!(std::env::var("DIALDECK_REQUIRE_POSTGRES").as_deref() != Ok("1"), "PostgreSQL's programs are missing, and DIALDECK_REQUIRE_POSTGRES=1");
        // Past the test harness, which keeps what a test that passes prints.
        std::io::stderr().write_all(b"\n*** PostgreSQL's programs are missing: half of the tests is skipped ***\n\n").unwrap();
        return None;
    };
    let dir = tempfile::tempdir().unwrap().keep();
    let user = unprivileged(&dir);
    let data = dir.join("data");
    let mut make = run_as(user, &bin.join("initdb"));
    // A collation that is not by bytes, as most servers have: what must be sorted by bytes says so itself.
    make.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync", "-D"]);
    let made = make.arg(&data).current_dir(&dir).output().unwrap();
    assert!(made.status.success(), "initdb: {}{}", String::from_utf8_lossy(&made.stdout), String::from_utf8_lossy(&made.stderr));
    let (port, mut child) = listening(user, &bin, &dir, &data);
    let alive = child.stdin.take().unwrap();
    std::thread::spawn(move || child.wait());
    let server = Server { port, bin, alive: Mutex::new(alive) };
    template(&server);
    Some(server)
}

/// The folder that has `initdb` and `postgres`: in PATH, or where Debian has them, the newest.
fn found() -> Option<PathBuf> {
    let has = |dir: &PathBuf| dir.join("initdb").exists() && dir.join("postgres").exists();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin")).collect();
    debian.sort_by_key(|d| d.parent().and_then(Path::file_name).and_then(|n| n.to_str()?.parse::<u32>().ok()));
    debian.into_iter().rev().chain(std::env::split_paths(&path)).find(has)
}

/// PostgreSQL does not run as root: then the folder becomes another user's, who is named here.
fn unprivileged(dir: &Path) -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let user = ["postgres", "nobody"].into_iter().find(|u| Command::new("id").arg(u).output().is_ok_and(|o| o.status.success())).unwrap();
    let given = Command::new("chown").arg(user).arg(dir).status().unwrap();
    assert!(given.success(), "{} cannot be given to {user}", dir.display());
    Some(user)
}

fn run_as(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={}", group(user))).arg("--clear-groups").arg("--").arg(program);
    command
}

fn group(user: &str) -> String {
    String::from_utf8(Command::new("id").args(["-gn", user]).output().unwrap().stdout).unwrap().trim().to_owned()
}

/// Starts the server under a shell that reads from us: the end of this process, by whatever signal, is the end of
/// what it reads, and then it stops the server and removes its folder. Each line is a signal, after which the server
/// is started again.
const KEEPER: &str = r#"
    dir=$1; shift
    "$@" >"$dir/log" 2>&1 </dev/null &
    server=$!
    while read -r signal; do
        kill -"$signal" "$server"; wait "$server"
        "$@" >>"$dir/log" 2>&1 </dev/null &
        server=$!
    done
    if kill -QUIT "$server"; then wait "$server"; rm -rf "$dir"; fi
"#;

fn listening(user: Option<&str>, bin: &Path, dir: &Path, data: &Path) -> (u16, Child) {
    for _ in 0..5 {
        // Free now; should another program be quicker, the server ends at once and the next number is tried.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut keeper = run_as(user, Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "keeper"]).arg(dir).arg(bin.join("postgres")).arg("-D").arg(data).arg("-k").arg(dir);
        for setting in
            ["listen_addresses=127.0.0.1", "max_connections=300", "shared_buffers=64MB", "max_wal_size=256MB", "fsync=off", "log_min_messages=warning"]
        {
            keeper.args(["-c", setting]);
        }
        // Not in our group: a Ctrl-C of the terminal is for us alone, and our end is heard by the pipe.
        let mut child = keeper.args(["-p", &port.to_string()]).current_dir(dir).stdin(Stdio::piped()).process_group(0).spawn().unwrap();
        if is_up(port, dir) {
            return (port, child);
        }
        // Its server has ended; at the end of what it reads so does it.
        drop(child.stdin.take());
        child.wait().unwrap();
    }
    panic!("PostgreSQL does not start: {}", std::fs::read_to_string(dir.join("log")).unwrap_or_default());
}

fn is_up(port: u16, dir: &Path) -> bool {
    for _ in 0..600 {
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        if log.contains("could not bind") || log.contains("FATAL:  could not") {
            return false;
        }
        if dir.join("data/postmaster.pid").exists() && TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// The database that has the schema, by the program's own hand.
fn template(server: &Server) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut db = loop {
            match PgConnection::connect(&server.url("postgres")).await {
                Ok(db) => break db,
                // It accepts before it answers.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {TEMPLATE}"))).execute(&mut db).await.unwrap();
        dialdeck::store::migrate_postgres(&server.url(TEMPLATE)).await.unwrap();
    });
}
