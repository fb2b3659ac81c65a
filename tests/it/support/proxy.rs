//! What stands between a program and its server, and can be far, or silent, or gone.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::postgres::Database;

/// Nothing gets through any more, and nobody is told.
const SILENT: u64 = u64::MAX;
/// Connections end, and none is taken.
const GONE: u64 = u64::MAX - 1;

/// A way to a server, and the URL of its database by that way.
pub struct Proxy {
    pub url: String,
    way: Arc<AtomicU64>,
    trips: Arc<AtomicU64>,
    server: Arc<Mutex<String>>,
}

impl Proxy {
    pub async fn new(db: &Database) -> Self {
        Self::by(&db.url).await
    }

    /// To the server that this URL of a database names.
    pub async fn by(url: &str) -> Self {
        let (before, name) = url.rsplit_once('/').unwrap();
        let (login, server) = before.rsplit_once('@').unwrap();
        let plain = Self::before(server).await;
        Self { url: format!("{login}@{}/{name}?sslmode=disable", plain.url), ..plain }
    }

    /// To any server; the URL is host and port alone.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = listener.local_addr().unwrap().to_string();
        let (server, way, trips) = (Arc::new(Mutex::new(server.to_owned())), Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let target = server.clone();
        let (seen, counted) = (way.clone(), trips.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if seen.load(Ordering::SeqCst) == GONE {
                    continue;
                }
                let at = target.lock().unwrap().clone();
                let Ok(server) = TcpStream::connect(at).await else { continue };
                for half in [&client, &server] {
                    half.set_nodelay(true).unwrap();
                }
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                // The whole way is on what is asked.
                let asked = Asked { trips: counted.clone(), waits: Arc::default() };
                tokio::spawn(carry(from_client, to_server, seen.clone(), (true, asked.clone())));
                tokio::spawn(carry(from_server, to_client, seen.clone(), (false, asked)));
            }
        });
        Self { url, way, trips, server }
    }

    /// New connections go to the server of this URL.
    pub fn leads_to(&self, url: &str) {
        let server = url.rsplit_once('/').unwrap().0.rsplit_once('@').unwrap().1;
        server.clone_into(&mut self.server.lock().unwrap());
    }

    /// How often something was asked since an answer came, over all connections.
    pub fn trips(&self) -> u64 {
        self.trips.load(Ordering::SeqCst)
    }

    /// So long it takes there and back.
    pub fn far(&self, there_and_back: Duration) {
        self.way.store(u64::try_from(there_and_back.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub fn silent(&self) {
        self.way.store(SILENT, Ordering::SeqCst);
    }

    pub fn gone(&self) {
        self.way.store(GONE, Ordering::SeqCst);
    }

    pub fn near(&self) {
        self.way.store(0, Ordering::SeqCst);
    }
}

/// The ways there and back of one connection.
#[derive(Clone)]
struct Asked {
    trips: Arc<AtomicU64>,
    /// Something was asked and nothing has come yet.
    waits: Arc<AtomicBool>,
}

impl Asked {
    fn carried(&self, there: bool) {
        if !self.waits.swap(there, Ordering::SeqCst) && there {
            self.trips.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Carries one way, in order, each piece when it is due.
async fn carry(mut from: OwnedReadHalf, to: OwnedWriteHalf, way: Arc<AtomicU64>, (there, asked): (bool, Asked)) {
    let (send, due) = mpsc::unbounded_channel();
    tokio::spawn(deliver(to, due, way.clone()));
    let mut bytes = vec![0; 65536];
    loop {
        let n = tokio::select! {
            n = from.read(&mut bytes) => n,
            () = until_gone(&way) => return,
        };
        let Ok(n @ 1..) = n else { return };
        let delay = match way.load(Ordering::SeqCst) {
            SILENT | GONE => 0,
            micros => micros * u64::from(there),
        };
        asked.carried(there);
        if send.send((Instant::now() + Duration::from_micros(delay), bytes[..n].to_vec())).is_err() {
            return;
        }
    }
}

async fn deliver(mut to: OwnedWriteHalf, mut due: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>, way: Arc<AtomicU64>) {
    while let Some((at, bytes)) = due.recv().await {
        if at > Instant::now() {
            sleep_until(at).await;
        }
        // What was on its way when silence fell never comes.
        while way.load(Ordering::SeqCst) == SILENT {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn until_gone(way: &AtomicU64) {
    while way.load(Ordering::SeqCst) != GONE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
