//! The REST and webhook listener. The route table below is its contents page; handlers judge who
//! may, read the body, ask `desk` or `store`, and answer in the documented envelope. Never calls the engine.

mod auth;
mod body;
mod calls;
mod campaigns;
mod changes;
mod contacts;
mod dialing;
mod edges;
mod error;
mod events;
mod form;
mod limits;
mod lists;
mod livekit;
mod metrics;
mod once;
mod open;
mod openapi;
mod provider;
pub mod route;
pub mod rows;
mod rules;
mod seldom;
mod webhooks;
mod wire;

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, MatchedPath, Request},
    http::{HeaderValue, header},
    middleware::{from_fn_with_state, map_response},
};
use tokio::sync::watch;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    trace::TraceLayer,
};

pub use auth::{Auth, Caller, Role};
pub use edges::Edges;
pub use error::ApiError;
pub use limits::Buckets;
pub use provider::Provider;
pub use route::{Route, Who};
use route::{delete, get, patch, post, put};
pub use wire::serve;

use crate::{
    clock::SharedClock,
    desk::Desk,
    domain::text::clean,
    provision::Provision,
    telephony::{Carrier, livekit::WebhookKeys, twilio::Signatures},
};

/// What the handlers share: one copy, however often a request's way hands it on.
#[derive(Clone)]
pub struct Api {
    parts: Arc<Parts>,
    /// For whoever asks: their own rows. Behind a gate that asks nobody's name it is the installation's.
    pub desk: Desk,
}

impl std::ops::Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Api {
    /// The desk of the installation, over all owners.
    #[must_use]
    pub fn house(&self) -> &Desk {
        &self.parts.desk
    }
}

/// What a handler is given: the gate has looked at who asks, and from there on it is their work.
impl FromRequestParts<Self> for Api {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, api: &Self) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<auth::Caller>().map(|c| c.owner);
        Ok(caller.map_or_else(|| api.clone(), |owner| Self { desk: api.desk.of(owner), ..api.clone() }))
    }
}

/// What they find in it.
pub struct Parts {
    pub desk: Desk,
    pub clock: SharedClock,
    pub auth: Arc<Auth>,
    /// `None` while no LiveKit is configured.
    pub carrier: Option<Arc<dyn Carrier>>,
    pub livekit_keys: WebhookKeys,
    pub twilio: Signatures,
    /// Host of the SIP side of LiveKit, for TwiML.
    pub sip_host: String,
    /// True after the engine's first reconcile; listeners without an engine are ready at once.
    pub ready: watch::Receiver<bool>,
    pub defaults: Defaults,
    pub provision: Arc<Provision>,
    pub limits: crate::config::Limits,
    pub buckets: Arc<Buckets>,
    pub edges: Arc<Edges>,
}

/// What requests may leave out.
#[derive(Clone)]
pub struct Defaults {
    pub timezone: crate::domain::zone::Zone,
    pub region: Option<String>,
    /// Who may tag as an agent is final only when the installation says so; here it never is.
    pub default_number: Option<crate::domain::phone::PhoneNumber>,
}

/// The path under which [`routes`] stand.
pub const BASE: &str = "/api/v1";

/// Every path under [`BASE`], with whom it serves.
#[must_use]
#[rustfmt::skip] // one line a route
pub fn routes() -> Vec<Route> {
    use Role::{Admin, Operator, Supervisor, Viewer};
    use Who::{Assigner, Signed, Tagger};
    vec![
        get("/campaigns", Viewer, campaigns::list),
        post("/campaigns", Supervisor, campaigns::create),
        get("/campaigns/{id}", Viewer, campaigns::show),
        put("/campaigns/{id}", Supervisor, campaigns::edit),
        delete("/campaigns/{id}", Supervisor, campaigns::remove),
        post("/campaigns/{id}/start", Supervisor, campaigns::start),
        post("/campaigns/{id}/pause", Supervisor, campaigns::pause),
        post("/campaigns/{id}/resume", Supervisor, campaigns::resume),
        post("/campaigns/{id}/stop", Supervisor, campaigns::stop),
        post("/campaigns/{id}/recycle", Supervisor, campaigns::recycle),
        get("/campaigns/{id}/status", Viewer, campaigns::status),
        get("/campaigns/{id}/calls", Viewer, campaigns::calls),

        post("/outbound-calls/initiate", Supervisor, dialing::initiate),
        post("/outbound-calls/status-callback", Signed, webhooks::status_callback),
        get("/outbound-calls/campaign/{id}", Viewer, campaigns::calls),
        get("/outbound-calls/campaign/{id}/stats", Viewer, campaigns::stats),
        get("/outbound-calls/{id}", Viewer, calls::show),
        put("/outbound-calls/{id}/outcome", Tagger, calls::outcome),
        post("/outbound-calls/{id}/report", Tagger, calls::report),
        post("/outbound-calls/{id}/hangup", Operator, calls::hangup),
        post("/outbound-calls/{id}/transfer", Supervisor, calls::transfer),
        post("/outbound-calls/{id}/listen", Supervisor, calls::listen),

        get("/livekit/outbound-calls/trunk/{assistant}", Viewer, livekit::trunk_of),
        get("/livekit/outbound-calls/trunks", Viewer, livekit::trunks),
        post("/livekit/outbound-calls/create-trunk", Assigner, livekit::create_trunk),
        post("/livekit/outbound-calls/create-participant", Supervisor, dialing::create_participant),
        post("/livekit/outbound-calls/create-call", Supervisor, dialing::create_call),
        post("/livekit/outbound-calls/dispatch-agent", Supervisor, dialing::dispatch_agent),
        post("/livekit/webhook", Signed, webhooks::livekit),
        post("/livekit/room/{room}", Signed, webhooks::room),

        post("/recording/status", Signed, webhooks::recording_status),

        get("/csv", Viewer, lists::files),
        get("/csv/{id}", Viewer, lists::file),
        delete("/csv/{id}", Supervisor, lists::remove_file),
        get("/csv/{id}/contacts", Viewer, lists::contacts_of_file),
        post("/csv/{id}/contacts", Supervisor, lists::add_to_file),
        get("/csv/{id}/stats", Viewer, lists::stats),
        get("/csv/contacts/{id}", Viewer, lists::contact_of_file),
        patch("/csv/contacts/{id}", Supervisor, lists::edit_in_file),
        delete("/csv/contacts/{id}", Supervisor, lists::remove_from_file),
        post("/csv/upload", Supervisor, contacts::upload).upload(),
        get("/contact-lists", Viewer, lists::lists),
        post("/contact-lists", Supervisor, lists::create_list),
        get("/contact-lists/{id}", Viewer, lists::list),
        put("/contact-lists/{id}", Supervisor, lists::edit_list),
        delete("/contact-lists/{id}", Supervisor, lists::remove_list),
        get("/contact-lists/{id}/contacts", Viewer, lists::contacts_of_list),
        post("/contact-lists/{id}/contacts", Supervisor, lists::add_to_list),
        get("/contacts/{id}", Viewer, lists::contact_of_list),
        patch("/contacts/{id}", Supervisor, lists::edit_in_list),
        delete("/contacts/{id}", Supervisor, lists::remove_from_list),
        get("/do-not-call", Viewer, rules::list),
        post("/do-not-call", Supervisor, rules::add),
        post("/do-not-call/import", Supervisor, rules::import).upload(),
        delete("/do-not-call/{number}", Admin, rules::lift),
        get("/assistants", Viewer, livekit::assistants),
        post("/assistants", Supervisor, livekit::add_assistant),
        get("/assistants/{id}", Viewer, livekit::assistant),
        get("/phone-numbers", Viewer, livekit::numbers),
        post("/phone-numbers/assign", Assigner, livekit::assign),
        get("/kill-switch", Viewer, rules::kill_switch),
        post("/kill-switch", Supervisor, rules::kill),
        delete("/kill-switch", Admin, rules::revive),
        get("/terms", Viewer, rules::terms),
        post("/terms", Admin, rules::accept),
        get("/events", Viewer, events::events),
        get("/openapi.json", Who::Open, openapi::document),
    ]
}

/// What stands at the root.
#[must_use]
pub fn at_root() -> Vec<Route> {
    vec![
        get("/healthz", Who::Open, || async { "ok\n" }),
        get("/readyz", Who::Open, metrics::readyz),
        get("/metrics", Who::Machine, metrics::metrics),
        get("/docs", Who::Open, openapi::page),
    ]
}

/// Answers shorter than this are sent as they are.
const WORTH_IT: u16 = 1024;

/// Every path of the listener.
pub fn router(parts: Parts) -> Router {
    let api = Api { desk: parts.desk.clone(), parts: Arc::new(parts) };
    let table = |base: &str, routes: Vec<Route>| {
        routes.into_iter().fold(Router::new(), |router, r| router.route(&format!("{base}{}", r.path), r.behind_its_gate(&api)))
    };
    // Layers in one tuple, the outermost first: each call of `layer` is a box that every request copies.
    let rows = table(BASE, routes()).layer((
        CompressionLayer::new().compress_when(SizeAbove::new(WORTH_IT).and(NotForContentType::SSE)),
        SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        map_response(limits::envelope),
    ));
    let all = table("", at_root())
        .merge(rows)
        .fallback(|| async { ApiError::NotFound("path") })
        .method_not_allowed_fallback(|| async { ApiError::NoMethod })
        .layer((from_fn_with_state(api.clone(), edges::count), CatchPanicLayer::custom(edges::broke_down)));
    let all = if let Some(cors) = api.edges.cors() { all.layer(cors) } else { all };
    all.layer((
        SetRequestIdLayer::x_request_id(MakeRequestUuid),
        TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(()).on_failure(()).on_body_chunk(()).on_eos(()),
        PropagateRequestIdLayer::x_request_id(),
    ))
    .with_state(api)
}

/// What every line of a request's log names: its id, which its answer has too, and its route. Not its path,
/// which may hold a number.
fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    tracing::info_span!(target: "api", "request", id = clean(id, 64), method = %request.method(), route)
}
