//! What the listener bears: connections in all and of one address, time for heads and bodies,
//! requests of one token.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::ApiError;
use crate::{
    config::Limits,
    domain::id::{CallId, OwnerId},
};

/// Serves until told to stop, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let (all, peers, tasks) = (Arc::new(Semaphore::new(limits.connections)), Peers::default(), TaskTracker::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                // Out of descriptors, most likely: others must close first.
                tracing::warn!(target: "api", error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = all.clone().try_acquire_owned() else {
            tracing::warn!(target: "api", "a connection from {} was closed: {} are open", peer.ip(), limits.connections);
            continue;
        };
        let Some(counted) = peers.enter(peer.ip(), limits.per_peer) else {
            tracing::warn!(target: "api", "a connection from {} was closed: it has {} open", peer.ip(), limits.per_peer);
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        tasks.spawn(async move {
            connection(stream, router, limits, stop).await;
            drop((place, counted));
        });
    }
    tasks.close();
    tasks.wait().await;
}

async fn connection(stream: TcpStream, router: Router, limits: Limits, stop: CancellationToken) {
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(e) = ended {
        tracing::debug!(target: "api", error = %e, "a connection broke off");
    }
}

/// Open connections by address.
#[derive(Default, Clone)]
struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

struct Counted(Peers, IpAddr);

impl Peers {
    /// `None` when the address has as many as it may.
    fn enter(&self, peer: IpAddr, most: usize) -> Option<Counted> {
        let mut open = self.0.lock();
        let n = open.entry(peer).or_default();
        if *n >= most && !peer.is_loopback() {
            return None;
        }
        *n += 1;
        Some(Counted(self.clone(), peer))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.0.0.lock();
        if let Some(n) = open.get_mut(&self.1) {
            *n -= 1;
            if *n == 0 {
                open.remove(&self.1);
            }
        }
    }
}

/// A body must be here in time.
pub async fn whole_body(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let end = tokio::time::Instant::now() + limit;
    next.run(request.map(|body| timed(body, move |_| end))).await
}

/// How long a body may be slow before it must come at [`PACE`].
const SLOW: Duration = Duration::from_mins(1);
/// Bytes a second of a long body on the whole: a byte now and then would keep its place for ever.
const PACE: u64 = 1024;

/// The next piece of a long body must be here in time, and the whole at a pace.
pub async fn next_piece(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let since = tokio::time::Instant::now();
    let until = move |bytes: u64| (tokio::time::Instant::now() + limit).min(since + SLOW + Duration::from_secs(bytes / PACE));
    next.run(request.map(|body| timed(body, until))).await
}

/// `until` tells by how many bytes are there when the next must be.
fn timed(body: Body, until: impl Fn(u64) -> tokio::time::Instant + Send + 'static) -> Body {
    let pieces = stream::unfold((body.into_data_stream(), until, 0), |(mut body, until, bytes)| async move {
        let piece = match tokio::time::timeout_at(until(bytes), body.next()).await {
            Ok(piece) => piece?.map_err(std::io::Error::other),
            Err(_) => Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "the body took too long")),
        };
        let bytes = bytes + piece.as_ref().map_or(0, |p| p.len() as u64);
        Some((piece, (body, until, bytes)))
    });
    Body::from_stream(pieces)
}

/// Refusals that the web framework words itself, in our envelope.
pub async fn envelope(response: Response) -> Response {
    let status = response.status();
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let words = axum::body::to_bytes(response.into_body(), 4096).await.unwrap_or_default();
    let words = crate::domain::text::clean(&String::from_utf8_lossy(&words), 300);
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge("the body is too large".to_owned()),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::UnsupportedMedia("this content type is not taken here"),
        StatusCode::NOT_FOUND => ApiError::NotFound("path"),
        s if s.is_client_error() => ApiError::Invalid(words),
        _ => ApiError::Internal(words),
    }
    .into_response()
}

/// A token, as far as its requests are counted.
type Holder = (OwnerId, Option<CallId>);

/// Requests left to each token: a bucket that fills by the second.
pub struct Buckets {
    limits: Limits,
    left: Mutex<HashMap<Holder, (f64, Instant)>>,
    /// The same for calls that are asked for by hand.
    dials: Mutex<HashMap<OwnerId, (f64, Instant)>>,
}

/// Buckets kept before the full ones are forgotten.
const MANY: usize = 10_000;

impl Buckets {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, left: Mutex::default(), dials: Mutex::default() }
    }

    /// Takes one request of a token.
    ///
    /// # Errors
    /// When its bucket is empty.
    pub fn take(&self, holder: Holder) -> Result<(), ApiError> {
        let (rate, burst) = (f64::from(self.limits.rate), f64::from(self.limits.burst));
        let taken = take(&self.left, holder, rate, burst);
        if taken { Ok(()) } else { Err(ApiError::RateLimited("too many requests of this token: ask again in a second")) }
    }

    /// Takes one call that a user asks for by hand.
    ///
    /// # Errors
    /// When it had its calls of this minute.
    pub fn take_dial(&self, owner: OwnerId) -> Result<(), ApiError> {
        let most = f64::from(self.limits.initiate);
        let taken = take(&self.dials, owner, most / 60.0, most);
        if taken { Ok(()) } else { Err(ApiError::RateLimited("too many calls were asked for by hand within a minute: ask again in some seconds")) }
    }
}

fn take<K: std::hash::Hash + Eq>(buckets: &Mutex<HashMap<K, (f64, Instant)>>, whose: K, rate: f64, burst: f64) -> bool {
    let now = Instant::now();
    let level = |(left, at): (f64, Instant)| (left + now.duration_since(at).as_secs_f64() * rate).min(burst);
    let mut all = buckets.lock();
    if all.len() > MANY {
        all.retain(|_, bucket| level(*bucket) < burst);
    }
    let left = all.get(&whose).map_or(burst, |b| level(*b));
    let enough = left >= 1.0;
    if enough {
        all.insert(whose, (left - 1.0, now));
    }
    enough
}
