//! What the listener knows of the outside and counts of it: who stands in front, how many requests of each
//! client behind a proxy are open, what was refused.

use std::{
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::cors::CorsLayer;

use super::{
    Api, ApiError,
    events::Streams,
    metrics::Counters,
    open::{Counted, Open},
    seldom::Seldom,
    wire::{Peer, home},
};
use crate::config::Proxies;

/// Headers by which proxies say for whom they ask: who sends one is not on this machine.
const FORWARDED: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

#[derive(Default)]
pub struct Edges {
    proxies: Proxies,
    origins: Vec<HeaderValue>,
    clients: Open<IpAddr>,
    pub streams: Streams,
    pub counters: Counters,
    pub unsigned: Seldom,
    /// One look at the figures at a time, however many ask.
    pub looking: tokio::sync::Mutex<()>,
}

impl Edges {
    #[must_use]
    pub fn new(proxies: Proxies, origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|o| o.parse().ok()).collect();
        Self { proxies, origins, ..Self::default() }
    }

    /// Pages of the named origins may ask, with a token of their own; without any, no browser is told it may.
    pub fn cors(&self) -> Option<CorsLayer> {
        if self.origins.is_empty() {
            return None;
        }
        let named = ["idempotency-key", "last-event-id", "x-request-id"].map(header::HeaderName::from_static);
        let layer = CorsLayer::new()
            .allow_origin(self.origins.clone())
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(named.into_iter().chain([header::AUTHORIZATION, header::CONTENT_TYPE]).collect::<Vec<_>>())
            .expose_headers([header::LOCATION, header::RETRY_AFTER])
            .max_age(std::time::Duration::from_mins(10));
        Some(layer)
    }

    /// Whether a request was made on this machine, by nobody else's hand. A proxy here need not say for whom
    /// it asks: where one is configured, nobody is believed to be local.
    pub fn is_local(&self, extensions: &Extensions, headers: &HeaderMap) -> bool {
        let Some(Peer(peer)) = extensions.get() else { return false };
        peer.is_loopback() && !self.proxies.holds(*peer) && !FORWARDED.into_iter().any(|h| headers.contains_key(h))
    }

    /// Whose request this is, where a proxy of ours handed it on.
    fn client(&self, request: &Request) -> Option<IpAddr> {
        let Peer(peer) = *request.extensions().get()?;
        let lines = request.headers().get_all(self.proxies.header()).iter().filter_map(|v| v.to_str().ok());
        // A proxy that does not say for whom asks for itself.
        self.proxies.holds(peer).then(|| self.proxies.client(lines.collect::<Vec<_>>().into_iter()).unwrap_or(peer))
    }
}

/// Counts requests, and those of a client behind a proxy until their answers are read: its connections are
/// the proxy's.
pub async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let counted = match api.edges.client(&request).map(|c| api.edges.clients.enter(home(c), api.limits.per_peer)) {
        Some(None) => {
            let wait = std::time::Duration::from_secs(1);
            return ApiError::RateLimited("too many requests of this address are open", wait).into_response();
        }
        Some(counted) => counted,
        None => None,
    };
    let response = next.run(request).await;
    api.edges.counters.answered(response.status());
    match counted {
        Some(counted) => response.map(|body| Body::new(Held { body, _counted: counted })),
        None => response,
    }
}

/// A body whose request counts until it is read.
struct Held {
    body: Body,
    _counted: Counted<IpAddr>,
}

impl HttpBody for Held {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

/// What a handler that breaks down is answered with; the panic itself is in the log.
#[expect(clippy::needless_pass_by_value, reason = "as the layer hands it over")]
pub fn broke_down(panic: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::Internal(format!("a request broke down: {}", crate::domain::text::of_panic(&*panic))).into_response()
}
