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
mod openapi;
pub mod route;
mod rows;
mod rules;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    middleware::map_response,
    response::{IntoResponse, Response},
};
use tokio::sync::watch;

pub use auth::{Auth, Caller, Role};
pub use error::ApiError;
pub use limits::{Buckets, serve};
pub use route::{Route, Who};
use route::{delete, get, patch, post, put};

use crate::{
    clock::SharedClock,
    desk::Desk,
    provision::Provision,
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
    pub provision: Arc<Provision>,
    pub limits: crate::config::Limits,
    pub buckets: Arc<Buckets>,
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

        post("/outbound-calls/status-callback", Signed, webhooks::status_callback),
        get("/outbound-calls/campaign/{id}", Viewer, campaigns::calls),
        get("/outbound-calls/campaign/{id}/stats", Viewer, campaigns::stats),
        get("/outbound-calls/{id}", Viewer, calls::show),
        put("/outbound-calls/{id}/outcome", Tagger, calls::outcome),
        post("/outbound-calls/{id}/report", Tagger, calls::report),
        post("/outbound-calls/{id}/hangup", Operator, calls::hangup),

        get("/livekit/outbound-calls/trunk/{assistant}", Viewer, livekit::trunk_of),
        get("/livekit/outbound-calls/trunks", Viewer, livekit::trunks),
        post("/livekit/outbound-calls/create-trunk", Assigner, livekit::create_trunk),
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
        get("/openapi.json", Who::Open, openapi::document),
    ]
}

/// What stands at the root.
#[must_use]
pub fn at_root() -> Vec<Route> {
    vec![get("/healthz", Who::Open, || async { "ok\n" }), get("/readyz", Who::Open, readyz), get("/docs", Who::Open, openapi::page)]
}

/// Every path of the listener.
pub fn router(api: Api) -> Router {
    let table = |routes: Vec<Route>| routes.into_iter().fold(Router::new(), |router, r| router.route(r.path, r.behind_its_gate(&api)));
    table(at_root())
        .nest(BASE, table(routes()).layer(map_response(limits::envelope)))
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
