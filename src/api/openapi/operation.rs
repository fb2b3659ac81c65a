//! One operation of the document: what its line of the table says, and what is said of it.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{
    said::{Answer, Body, Said},
    schemas::Schemas,
};
use crate::api::{Role, Route, Who};

/// Refusals, by status: what each means.
const REFUSALS: &[(u16, &str, &str)] = &[
    (400, "invalid_request", "Malformed: no JSON, a wrong type, an unknown or double field"),
    (401, "unauthenticated", "No token, or one that does not hold"),
    (403, "forbidden", "The role may not; or the signature is missing or wrong"),
    (404, "not_found", "Not there, or another owner's"),
    (409, "refused", "The state does not allow it (`conflict`), or a gate refuses the dial (`refused`): `details` has `gate` and `until`"),
    (413, "too_large", "The body is too large"),
    (415, "unsupported_media", "Another content type is wanted"),
    (422, "unprocessable", "Well formed but not valid: `details` lists every field with its message"),
    (429, "rate_limited", "Too many requests: see Retry-After"),
    (503, "unavailable", "Database or LiveKit cannot be asked; nothing was done: see Retry-After"),
];

/// `components.responses`: one a status, in the envelope of failures.
pub fn refusals() -> Value {
    let envelope = |code: &str| {
        json!({
            "type": "object", "required": ["success", "code", "message"],
            "properties": {
                "success": { "const": false },
                "code": { "type": "string", "examples": [code] },
                "message": { "type": "string", "description": "Words for a person" },
                "details": { "description": "Fields with their messages, or gate and moment" },
            },
        })
    };
    let answer = |(status, code, words): &(u16, &str, &str)| {
        let mut body = json!({ "description": words, "content": { "application/json": { "schema": envelope(code) } } });
        if matches!(status, 429 | 503) {
            body["headers"] = json!({ "Retry-After": { "description": "Seconds", "schema": { "type": "integer" } } });
        }
        (status.to_string(), body)
    };
    Value::Object(REFUSALS.iter().map(answer).collect())
}

pub fn of(route: &Route, said: Option<&Said>, schemas: &mut Schemas) -> Value {
    let id = format!("{}{}", route.method.as_str().to_ascii_lowercase(), route.path.replace(['/', '-', '.'], "_").replace(['{', '}'], ""));
    let mut operation = json!({ "operationId": id, "summary": "", "x-role": role(route.who), "parameters": parameters(route, said), "responses": {} });
    if let Some(security) = security(route.who) {
        operation["security"] = security;
    }
    let mut refused = refusals_of(route.who);
    if route.path.contains('{') {
        refused.push(404);
    }
    if let Some(said) = said {
        operation["summary"] = json!(said.summary);
        operation["tags"] = json!([said.tag]);
        operation["description"] = json!(format!("{}{}", said.more, may(route.who)));
        if let Some((body, more)) = said.body.as_ref().map(|b| request(b, schemas)) {
            operation["requestBody"] = body;
            refused.extend(more);
        }
        if !said.query.is_empty() {
            refused.extend([400, 422]);
        }
        refused.extend(said.refuses);
        for status in [Some(said.status), said.also].into_iter().flatten() {
            operation["responses"][status.to_string()] = answer(said, schemas);
        }
    }
    refused.sort_unstable();
    refused.dedup();
    for status in refused {
        operation["responses"][status.to_string()] = json!({ "$ref": format!("#/components/responses/{status}") });
    }
    operation
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Supervisor => "supervisor",
        Role::Admin => "admin",
    }
}

fn role(who: Who) -> &'static str {
    match who {
        Who::Open => "open",
        Who::Signed => "signed",
        Who::AtLeast(role) => word(role),
        Who::Tagger => "operator or the call's agent",
        Who::Assigner => "admin, or a token that names no role",
        Who::Machine => "admin, or this machine",
    }
}

/// Who may, as a sentence.
fn may(who: Who) -> String {
    match who {
        Who::Open => "Open to anybody.".to_owned(),
        Who::Signed => "Signed by its sender; no token.".to_owned(),
        Who::AtLeast(role) => format!("Needs the role {} or a higher one.", word(role)),
        Who::Tagger => "Needs the role operator or a higher one, or the token of this call's agent.".to_owned(),
        Who::Assigner => "Needs the role admin, or a token that names no role, over its own assistants.".to_owned(),
        Who::Machine => "Needs the role admin, or comes from the machine itself.".to_owned(),
    }
}

fn security(who: Who) -> Option<Value> {
    match who {
        Who::Open | Who::Signed => None,
        Who::AtLeast(_) | Who::Tagger | Who::Assigner => Some(json!([{ "bearer": [] }])),
        Who::Machine => Some(json!([{}, { "bearer": [] }])),
    }
}

fn refusals_of(who: Who) -> Vec<u16> {
    match who {
        Who::Open => vec![],
        Who::Signed => vec![403, 429, 503],
        Who::AtLeast(_) | Who::Tagger | Who::Assigner | Who::Machine => vec![401, 403, 429, 503],
    }
}

fn parameters(route: &Route, said: Option<&Said>) -> Vec<Value> {
    let named = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut out: Vec<Value> = named
        .map(|name| {
            let schema = match name {
                "number" => json!({ "type": "string", "examples": ["+12025550142"] }),
                "room" => json!({ "type": "string", "examples": ["support", "{roomName}"] }),
                _ => json!({ "type": "string", "format": "uuid" }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    let Some(said) = said else { return out };
    out.extend(said.query.iter().map(|q| json!({ "name": q.name, "in": "query", "description": q.words, "schema": (q.schema)() })));
    if said.once {
        let words = "The same key and body answer the same for 24 h; with another body it is 409";
        out.push(json!({ "name": "Idempotency-Key", "in": "header", "description": words, "schema": { "type": "string", "minLength": 1, "maxLength": 255 } }));
    }
    if route.method == Method::POST && matches!(said.body, Some(Body::Twilio(_))) {
        out.push(json!({ "name": "X-Twilio-Signature", "in": "header", "required": true, "schema": { "type": "string" } }));
    }
    out
}

/// A request's body, and how it may be refused.
fn request(body: &Body, schemas: &mut Schemas) -> (Value, &'static [u16]) {
    match body {
        Body::Json { schema, needed } => {
            (json!({ "required": needed, "content": { "application/json": { "schema": schema(schemas) } } }), &[400, 413, 415, 422])
        }
        Body::Form(fields) => {
            let mut properties: Map<String, Value> =
                fields.iter().map(|(name, words)| ((*name).to_owned(), json!({ "type": "string", "description": words }))).collect();
            properties.insert("csvFile".to_owned(), json!({ "type": "string", "contentMediaType": "text/csv", "description": "The file, at most 200 MB" }));
            let schema = json!({ "type": "object", "required": ["csvFile"], "properties": properties, "additionalProperties": false });
            (json!({ "required": true, "content": { "multipart/form-data": { "schema": schema } } }), &[400, 413, 415, 422])
        }
        Body::Twilio(fields) => {
            let properties: Map<String, Value> = fields.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
            let schema = json!({ "type": "object", "properties": properties, "additionalProperties": { "type": "string" } });
            (json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": schema } } }), &[413])
        }
        Body::LiveKit => {
            let schema = json!({ "type": "object", "description": "A WebhookEvent of LiveKit; what is unknown of it is kept" });
            (json!({ "required": true, "content": { "application/webhook+json": { "schema": schema } } }), &[400, 413])
        }
    }
}

fn answer(said: &Said, schemas: &mut Schemas) -> Value {
    let mut out = match &said.answer {
        Answer::Keys(keys) => {
            let mut properties: Map<String, Value> = keys.iter().map(|(name, schema, _)| ((*name).to_owned(), schema(schemas))).collect();
            properties.insert("success".to_owned(), json!({ "const": true }));
            let names: Vec<&str> = keys.iter().filter(|(.., always)| *always).map(|(name, ..)| *name).chain(["success"]).collect();
            let schema = json!({ "type": "object", "required": names, "properties": properties });
            json!({ "description": "Done", "content": { "application/json": { "schema": schema } } })
        }
        Answer::Nothing => json!({ "description": "Stored" }),
        Answer::Text(kind) => json!({ "description": "Done", "content": { *kind: { "schema": { "type": "string" } } } }),
        Answer::Document => json!({ "description": "This document", "content": { "application/json": { "schema": { "type": "object" } } } }),
    };
    if said.location {
        out["headers"] = json!({ "Location": { "description": "Where it is", "schema": { "type": "string" } } });
    }
    out
}
