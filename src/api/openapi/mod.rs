//! The document of the API, OpenAPI 3.1: paths, roles and parameters from the route table itself, what each line of it
//! takes and answers from [`said`], the schemas from the types in [`bodies`] and [`rows`]. A test fails for a route of
//! which nothing is said, and for a field that a handler reads or writes otherwise.

mod bodies;
mod operation;
mod page;
mod rows;
mod said;
mod schemas;

use std::sync::LazyLock;

use axum::{
    Json,
    http::header,
    response::{Html, IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{BASE, Route, at_root, routes};
use schemas::Schemas;

static DOCUMENT: LazyLock<Value> = LazyLock::new(written);
static PAGE: LazyLock<String> = LazyLock::new(|| page::of(&DOCUMENT));

const ABOUT: &str = "Success answers `{\"success\": true, ...}`, failure `{\"success\": false, \"code\", \"message\", \"details\"}`. \
    Another owner's row answers as one that is not there. Lists are newest first. A POST, PUT or PATCH reads the fields that are \
    named here and refuses others. Times are RFC 3339 in UTC, numbers of phones E.164.";

pub async fn document() -> Response {
    Json(&*DOCUMENT).into_response()
}

/// The same to be read: one page without a request to anywhere.
pub async fn page() -> Response {
    let policy =
        [(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")];
    (policy, Html(PAGE.as_str())).into_response()
}

fn written() -> Value {
    let mut schemas = Schemas::default();
    let said = said::all();
    let mut paths = Map::new();
    let under = |base: &'static str| move |route: Route| (format!("{base}{}", route.path), route);
    for (path, route) in routes().into_iter().map(under(BASE)).chain(at_root().into_iter().map(under(""))) {
        let words = said.iter().find(|s| s.is_of(&route));
        let operation = operation::of(&route, words, &mut schemas);
        if let Value::Object(methods) = paths.entry(path).or_insert_with(|| json!({})) {
            methods.insert(route.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "dialdeck", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT, "license": { "name": "MIT OR Apache-2.0" } },
        "servers": [{ "url": "/" }],
        "tags": said::TAGS.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.into_map(),
            "responses": operation::refusals(),
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "`sub` owns the rows; `app_metadata.dialdeck_role` is viewer, operator, supervisor, admin or agent. `dialdeck token` mints one.",
            } },
        },
    })
}
