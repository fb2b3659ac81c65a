//! The document as a page that a browser shows without asking anybody: no script, no font, no picture.

use std::fmt::Write;

use serde_json::{Map, Value};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}\
    code,summary b{font-family:ui-monospace,monospace}summary{cursor:pointer;padding:.2rem 0}summary i{opacity:.7;font-style:normal}\
    details{border-bottom:1px solid #8884}details>div{margin:.2rem 0 1rem 1.5rem}table{border-collapse:collapse;margin:.4rem 0}\
    td,th{text-align:left;vertical-align:top;padding:.1rem .8rem .1rem 0}th{font-weight:600}";

/// The whole page.
pub fn of(document: &Value) -> String {
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>dialdeck API</title><style>{STYLE}</style>"
    );
    let info = &document["info"];
    let _ = write!(
        out,
        "<h1>dialdeck API {}</h1><p>{}</p><p>The same for programs: <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>",
        text(&info["version"]),
        prose(&info["description"])
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = write!(out, "<h2>{}</h2>", text(&tag["name"]));
        for (path, methods) in entries(&document["paths"]) {
            for (method, operation) in entries(methods).filter(|(_, o)| o["tags"][0] == tag["name"]) {
                out.push_str(&shown(method, path, operation));
            }
        }
    }
    out.push_str("<h2>Schemas</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let _ = write!(out, "<h3 id=\"{0}\">{0}</h3>{1}", escaped(name), of_schema(schema));
    }
    out.push_str("</html>");
    out
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn shown(method: &str, path: &str, operation: &Value) -> String {
    let mut out = format!(
        "<details><summary><b>{} {}</b> {} <i>{}</i></summary><div><p>{}</p>",
        method.to_ascii_uppercase(),
        escaped(path),
        text(&operation["summary"]),
        text(&operation["x-role"]),
        prose(&operation["description"])
    );
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        out.push_str("<table>");
        for p in parameters {
            let _ = write!(out, "<tr><td><code>{}</code><td>{}<td>{}<td>{}", text(&p["name"]), text(&p["in"]), kind(&p["schema"]), prose(&p["description"]));
        }
        out.push_str("</table>");
    }
    for (content, body) in entries(&operation["requestBody"]["content"]) {
        let _ = write!(out, "<p>Takes {}:</p>{}", escaped(content), of_schema(&body["schema"]));
    }
    for (status, answer) in entries(&operation["responses"]) {
        if answer.get("$ref").is_some() {
            continue;
        }
        let _ = write!(out, "<p>Answers {status}:</p>");
        for (content, body) in entries(&answer["content"]) {
            let _ = write!(out, "{}{}", if content == "application/json" { String::new() } else { escaped(content) }, of_schema(&body["schema"]));
        }
    }
    let refusals: Vec<&str> = entries(&operation["responses"]).filter(|(_, a)| a.get("$ref").is_some()).map(|(status, _)| status.as_str()).collect();
    if !refusals.is_empty() {
        let _ = write!(out, "<p>Refuses with {}.</p>", refusals.join(", "));
    }
    out.push_str("</div></details>");
    out
}

/// Fields in a table; what is no object in words.
fn of_schema(schema: &Value) -> String {
    let parts = schema["allOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
    let mut out = format!("<p>{}</p>", prose(&schema["description"]));
    for part in &parts {
        if part.get("properties").is_none() {
            let _ = write!(out, "<p>{}</p>", kind(part));
            continue;
        }
        let required = |name: &str| part["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name));
        out.push_str("<table>");
        for (name, field) in entries(&part["properties"]) {
            let needed = if required(name) { "" } else { "optional" };
            let _ = write!(out, "<tr><td><code>{}</code><td>{}<td>{needed}<td>{}", escaped(name), kind(field), prose(&field["description"]));
        }
        out.push_str("</table>");
    }
    out.replace("<p></p>", "")
}

/// A schema in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    }
    if let Some(any) = schema["oneOf"].as_array() {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|v| format!("<code>{}</code>", text(v))).collect::<Vec<_>>().join(", ");
    }
    if let Some(value) = schema.get("const") {
        return format!("<code>{}</code>", escaped(&value.to_string()));
    }
    let name = |t: &Value| match (t.as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("list of {}", kind(&schema["items"])),
        (Some("string"), Some(format)) => escaped(format),
        (Some("null"), _) => "null".to_owned(),
        (Some(t), _) => escaped(t),
        (None, _) => "any".to_owned(),
    };
    let mut out = schema["type"].as_array().map_or_else(|| name(&schema["type"]), |all| all.iter().map(name).collect::<Vec<_>>().join(" or "));
    if let (Some(low), Some(high)) = (schema.get("minimum"), schema.get("maximum")) {
        let _ = write!(out, " {low} to {high}");
    }
    out
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// Words in which `` ` `` marks what is typed.
fn prose(value: &Value) -> String {
    let parts = value.as_str().unwrap_or_default().split('`').map(escaped).enumerate();
    parts.map(|(i, part)| if i % 2 == 1 { format!("<code>{part}</code>") } else { part }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
