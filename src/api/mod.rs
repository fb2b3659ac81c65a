//! The REST and webhook listener. The route table below is its contents page; handlers judge who
//! may, read the body, ask `desk` or `store`, and answer in the documented envelope. Never calls the engine.

mod auth;
mod body;
mod calls;
mod campaigns;
mod changes;
mod contacts;
mod error;
mod form;
mod limits;
mod lists;
mod livekit;
mod once;
mod rows;
mod rules;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use tokio::sync::watch;

pub use auth::{Auth, Caller, Role};
pub use error::ApiError;
pub use limits::{Buckets, serve};

use crate::{
    clock::SharedClock,
    desk::Desk,
    telephony::{Carrier, livekit::WebhookKeys, twilio::Signatures},
};

/// What the handlers share.
#[derive(Clone)]
pub struct Api {
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
    /// One assignment at a time: two that look for a trunk at once would both make one.
    pub assigning: Arc<tokio::sync::Mutex<()>>,
    pub limits: crate::config::Limits,
    pub buckets: Arc<Buckets>,
}

/// What requests may leave out.
#[derive(Clone)]
pub struct Defaults {
    pub timezone: crate::domain::zone::Zone,
    pub region: Option<String>,
    /// `[trunk] address, username, password` for a number without its own.
    pub trunk_address: String,
    pub trunk_username: String,
    pub trunk_password: crate::config::Secret,
    /// Who may tag as an agent is final only when the installation says so; here it never is.
    pub default_number: Option<crate::domain::phone::PhoneNumber>,
}

const WEBHOOK_LIMIT: usize = 64 << 10;
const JSON_LIMIT: usize = 256 << 10;
const UPLOAD_LIMIT: usize = 200 << 20;

/// Every path of the listener.
pub fn router(api: Api) -> Router {
    let webhooks = Router::new()
        .route("/livekit/webhook", post(webhooks::livekit))
        .route("/livekit/room/{room}", post(webhooks::room))
        .route("/outbound-calls/status-callback", post(webhooks::status_callback))
        .route("/recording/status", post(webhooks::recording_status))
        .layer(DefaultBodyLimit::max(WEBHOOK_LIMIT))
        .layer(from_fn_with_state(api.limits.body, limits::whole_body));
    let upload = Router::new()
        .route("/csv/upload", post(contacts::upload))
        .route("/do-not-call/import", post(rules::import))
        .layer(DefaultBodyLimit::max(UPLOAD_LIMIT))
        .layer(from_fn_with_state(api.limits.body, limits::next_piece));
    let json = Router::new()
        .route("/campaigns", get(campaigns::list).post(campaigns::create))
        .route("/campaigns/{id}", get(campaigns::show).put(campaigns::edit).delete(campaigns::remove))
        .route("/campaigns/{id}/start", post(campaigns::start))
        .route("/campaigns/{id}/pause", post(campaigns::pause))
        .route("/campaigns/{id}/resume", post(campaigns::resume))
        .route("/campaigns/{id}/stop", post(campaigns::stop))
        .route("/campaigns/{id}/status", get(campaigns::status))
        .route("/campaigns/{id}/calls", get(campaigns::calls))
        .route("/outbound-calls/campaign/{id}", get(campaigns::calls))
        .route("/outbound-calls/campaign/{id}/stats", get(campaigns::stats))
        .route("/outbound-calls/{id}", get(calls::show))
        .route("/outbound-calls/{id}/outcome", put(calls::outcome))
        .route("/outbound-calls/{id}/report", post(calls::report))
        .route("/outbound-calls/{id}/hangup", post(calls::hangup))
        .route("/livekit/outbound-calls/trunk/{assistant}", get(livekit::trunk_of))
        .route("/livekit/outbound-calls/trunks", get(livekit::trunks))
        .route("/assistants", get(livekit::assistants).post(livekit::add_assistant))
        .route("/phone-numbers", get(livekit::numbers))
        .route("/phone-numbers/assign", post(livekit::assign))
        .route("/campaigns/{id}/recycle", post(campaigns::recycle))
        .route("/do-not-call", get(rules::list).post(rules::add))
        .route("/do-not-call/{number}", delete(rules::lift))
        .route("/kill-switch", get(rules::kill_switch).post(rules::kill).delete(rules::revive))
        .route("/terms", get(rules::terms).post(rules::accept))
        .route("/csv", get(lists::files))
        .route("/csv/{id}", get(lists::file).delete(lists::remove_file))
        .route("/csv/{id}/contacts", get(lists::contacts_of_file).post(lists::add_to_file))
        .route("/csv/{id}/stats", get(lists::stats))
        .route("/csv/contacts/{id}", get(lists::contact_of_file).patch(lists::edit_in_file).delete(lists::remove_from_file))
        .route("/contact-lists", get(lists::lists).post(lists::create_list))
        .route("/contact-lists/{id}", get(lists::list).put(lists::edit_list).delete(lists::remove_list))
        .route("/contact-lists/{id}/contacts", get(lists::contacts_of_list).post(lists::add_to_list))
        .route("/contacts/{id}", get(lists::contact_of_list).patch(lists::edit_in_list).delete(lists::remove_from_list))
        .route("/assistants/{id}", get(livekit::assistant))
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .layer(from_fn_with_state(api.limits.body, limits::whole_body));
    Router::new()
        .nest("/api/v1", webhooks.merge(upload).merge(json).layer(map_response(limits::envelope)))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .fallback(|| async { ApiError::NotFound("path") })
        .method_not_allowed_fallback(|| async { ApiError::NotFound("method on this path") })
        .with_state(api)
}

/// Ready is who has looked after the calls of the run before and can write down what happens next.
async fn readyz(axum::extract::State(api): axum::extract::State<Api>) -> Response {
    let unready = |words: String| (axum::http::StatusCode::SERVICE_UNAVAILABLE, words).into_response();
    match api.desk.store().trouble() {
        Some(why) => unready(format!("nothing can be written, so nothing is dialled: {why}\n")),
        None if !*api.ready.borrow() => unready("not reconciled yet\n".to_owned()),
        None => "ready\n".into_response(),
    }
}
