//! Connections: accepted and counted, their heads awaited for a while only, and their answers read in time.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, Version, header},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{ApiError, open::Open, seldom::Seldom};
use crate::config::{Limits, Proxies};

/// Requests under way have this long to end once the listener stops.
const GRACE: Duration = Duration::from_millis(1500);

/// The other end of the connection that a request came by.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Serves until told to stop, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, proxies: Proxies, stop: CancellationToken) {
    let (all, peers, tasks) = (Arc::new(Semaphore::new(limits.connections)), Open::default(), TaskTracker::new());
    let (too_many, too_many_of_one) = (Seldom::default(), Seldom::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, address.ip().to_canonical()),
            Err(e) => {
                // Out of descriptors, most likely: others must close first.
                tracing::warn!(target: "api", error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = all.clone().try_acquire_owned() else {
            too_many.say(|n| tracing::warn!(target: "api", "{n} connections were closed, the last from {peer}: {} are open", limits.connections));
            continue;
        };
        // A proxy's connections are many people's, and may come from this machine unnamed.
        let most = if peer.is_loopback() || proxies.holds(peer) { usize::MAX } else { limits.per_peer };
        let Some(counted) = peers.enter(home(peer), most) else {
            too_many_of_one.say(|n| tracing::warn!(target: "api", "{n} connections were closed, the last from {peer}: it has {} open", limits.per_peer));
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        tasks.spawn(async move {
            connection(stream, peer, router, limits, stop).await;
            drop((place, counted));
        });
    }
    tasks.close();
    tasks.wait().await;
}

async fn connection(stream: TcpStream, peer: IpAddr, router: Router, limits: Limits, stop: CancellationToken) {
    // Small answers and pieces of news go out at once.
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(target: "api", error = %e, "a connection broke off");
        return;
    }
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let refused = without_host(&request);
        request.extensions_mut().insert(Peer(peer));
        let answer = refused.is_none().then(|| router.call(request));
        async move {
            match (refused, answer) {
                (None, Some(answer)) => answer.await,
                (refused, _) => Ok::<Response<Body>, Infallible>(refused.unwrap_or_default()),
            }
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .serve_connection(TokioIo::new(Patient::new(stream, limits.write)), service);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            // News has no end of its own.
            tokio::time::timeout(GRACE, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(e) = ended {
        tracing::debug!(target: "api", error = %e, "a connection broke off");
    }
}

/// HTTP/1.1 asks for one Host; without it, or with two, somebody between us and the client reads another request.
fn without_host(request: &Request<Incoming>) -> Option<Response> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let wrong = request.version() == Version::HTTP_11 && hosts != 1;
    wrong.then(|| ApiError::Invalid("an HTTP/1.1 request names one Host".to_owned()).into_response())
}

/// A connection whose peer reads what it asked for: one that leaves it unread is let go. One that takes a
/// byte now and then as well: the kernel has room for more only when a good part of its buffer was read.
struct Patient {
    stream: TcpStream,
    limit: Duration,
    /// Runs while a write waits.
    end: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, limit, end: None }
    }

    /// What a write came to, or that it was waited for long enough.
    fn timed<T>(&mut self, cx: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.end = None;
            return write;
        }
        let end = self.end.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.limit)));
        let late = || io::Error::new(io::ErrorKind::TimedOut, "the peer does not read its answer");
        end.as_mut().poll(cx).map(|()| Err(late()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.timed(cx, write)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.timed(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = Pin::new(&mut self.stream).poll_flush(cx);
        self.timed(cx, flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.timed(cx, shut)
    }
}

/// A customer of IPv6 has 2^64 addresses: they are one peer.
pub fn home(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() >> 64 << 64)),
        IpAddr::V4(_) => address,
    }
}
