//! Who may: every route of the table by every role, and nobody over another owner's rows.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use dialdeck::{
    api::{BASE, Role, Route, Who, at_root, routes},
    domain::id::{Incarnation, OwnerId},
};
use serde_json::Value;
use tower::ServiceExt;

use crate::{
    api::{Rest, code},
    openapi::a_list,
    support::{
        csv_of,
        http::{Answer, call, send},
    },
};

const ROLES: [Role; 5] = [Role::Agent, Role::Viewer, Role::Operator, Role::Supervisor, Role::Admin];

/// Whom the contract lets through, said apart from the table.
fn by_contract(method: &Method, path: &str) -> Who {
    let admins = [("DELETE", "/do-not-call/{number}"), ("DELETE", "/kill-switch"), ("POST", "/terms")];
    match (method.as_str(), path) {
        (_, "/healthz" | "/readyz" | "/docs" | "/openapi.json") => Who::Open,
        (_, "/metrics") => Who::Machine,
        (_, "/livekit/webhook" | "/livekit/room/{room}" | "/outbound-calls/status-callback" | "/recording/status") => Who::Signed,
        ("PUT", "/outbound-calls/{id}/outcome") | ("POST", "/outbound-calls/{id}/report") => Who::Tagger,
        ("POST", "/phone-numbers/assign" | "/livekit/outbound-calls/create-trunk") => Who::Assigner,
        ("POST", "/outbound-calls/{id}/hangup") => Role::Operator.into(),
        ("GET", _) => Role::Viewer.into(),
        at if admins.contains(&at) => Role::Admin.into(),
        _ => Role::Supervisor.into(),
    }
}

/// The path of a line, with ids in it.
fn filled(base: &str, path: &str, id: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|p| if p.starts_with('{') { id } else { p }).collect();
    format!("{base}{}", parts.join("/"))
}

pub fn every_route() -> impl Iterator<Item = (&'static str, Route)> {
    routes().into_iter().map(|r| (BASE, r)).chain(at_root().into_iter().map(|r| ("", r)))
}

async fn without_a_token(rest: &Rest, method: &Method, path: &str) -> Answer {
    send(&rest.router, Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_lets_through_whom_the_contract_names() {
    let rest = Rest::new().await;
    let nowhere = uuid::Uuid::now_v7().to_string();
    // An owner each: nobody's bucket is emptied by the others.
    let tokens = ROLES.map(|role| (role, rest.mint(OwnerId::fresh(), role)));
    for (base, route) in every_route() {
        let (method, who, path) = (&route.method, route.who, filled(base, route.path, &nowhere));
        assert_eq!(who, by_contract(method, route.path), "{method} {path}");
        let nobody = without_a_token(&rest, method, &path).await.status;
        match who {
            Who::Open => assert!(nobody.is_success(), "{method} {path}: {nobody}"),
            Who::Signed => assert_eq!(nobody, StatusCode::FORBIDDEN, "{method} {path}"),
            _ => assert_eq!(nobody, StatusCode::UNAUTHORIZED, "{method} {path}"),
        }
        if matches!(who, Who::Open | Who::Signed) {
            continue;
        }
        for (role, token) in &tokens {
            let may = match who {
                Who::AtLeast(least) => *role >= least,
                Who::Tagger => *role == Role::Agent || *role >= Role::Operator,
                Who::Assigner | Who::Machine => *role == Role::Admin,
                Who::Open | Who::Signed => true,
            };
            // Not to its end: news has none.
            let request = Request::builder().method(method).uri(&path).header("authorization", format!("Bearer {token}")).body(Body::empty());
            let status = rest.router.clone().oneshot(request.unwrap()).await.unwrap().status();
            assert_eq!(status != StatusCode::FORBIDDEN, may, "{method} {path} by {role:?}: {status}");
            assert!(status != StatusCode::UNAUTHORIZED && !status.is_server_error(), "{method} {path} by {role:?}: {status}");
        }
    }
}

/// Ids of one owner's rows, by the beginning of the paths they stand in.
async fn rows_of(rest: &Rest) -> BTreeMap<&'static str, String> {
    let w = &rest.world;
    let (file, _) = w.import(csv_of(1)).await;
    let campaign = w.campaign(file, |_| {}).await;
    w.desk.start(w.actor.clone(), campaign).await.unwrap();
    let (call, _) = w.arm_next(campaign, Incarnation::fresh()).await;
    let in_file = rest.call("GET", &format!("/csv/{file}/contacts"), None).await.json()["contacts"][0]["id"].as_str().unwrap().to_owned();
    let (list, in_list) = a_list(rest).await;
    BTreeMap::from([
        ("/campaigns/", campaign.to_string()),
        ("/outbound-calls/campaign/", campaign.to_string()),
        ("/outbound-calls/", call.to_string()),
        ("/livekit/outbound-calls/trunk/", w.assistant.to_string()),
        ("/assistants/", w.assistant.to_string()),
        ("/csv/", file.to_string()),
        ("/csv/contacts/", in_file),
        ("/contact-lists/", list),
        ("/contacts/", in_list),
    ])
}

/// The longest beginning that fits.
fn row_of<'a>(rows: &'a BTreeMap<&'static str, String>, path: &str) -> &'a str {
    let fits = rows.iter().filter(|(start, _)| path.starts_with(**start)).max_by_key(|(start, _)| start.len());
    fits.unwrap_or_else(|| panic!("{path}: say in `rows_of` which row its id is of")).1
}

/// P15: another owner's row answers what nothing answers, to the letter, whatever is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_over_another_owners_row_every_route_answers_as_over_nothing() {
    let rest = Rest::new().await;
    let rows = rows_of(&rest).await;
    let nowhere = uuid::Uuid::now_v7().to_string();
    // A number is nobody's id, and webhooks have no owner.
    let with_an_id = || routes().into_iter().filter(|r| r.path.contains('{') && r.who != Who::Signed && r.path != "/do-not-call/{number}");
    assert!(with_an_id().count() >= 15);
    for route in with_an_id() {
        let stranger = rest.mint(OwnerId::fresh(), Role::Admin);
        for body in [None, Some(Value::Null), Some(serde_json::json!({ "no": "such field" }))] {
            let ask = async |id: &str| call(&rest.router, route.method.as_str(), &filled(BASE, route.path, id), &stranger, body.clone()).await;
            let (theirs, nothing) = (ask(row_of(&rows, route.path)).await, ask(&nowhere).await);
            assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{} {}: {}", route.method, route.path, theirs.body);
            assert_eq!((theirs.status, theirs.body), (nothing.status, nothing.body), "{} {}", route.method, route.path);
        }
    }
    // Its owner does find it: the ids are no mistake.
    for route in with_an_id().filter(|r| r.method == Method::GET) {
        let path = filled(BASE, route.path, row_of(&rows, route.path));
        assert_eq!(call(&rest.router, "GET", &path, &rest.token, None).await.status, StatusCode::OK, "{path}");
    }
    // An agent's call is its own one alone.
    let agent = rest.mint(rest.world.actor.owner, Role::Agent);
    let path = filled(BASE, "/outbound-calls/{id}/report", row_of(&rows, "/outbound-calls/"));
    assert_eq!(code(&call(&rest.router, "POST", &path, &agent, None).await), (404, "not_found".into()));
}

/// What is wrong with the configuration of who may is told at the start, in words.
#[test]
fn weak_secrets_and_open_ways_are_refused_at_the_start() {
    let run = |variables: &[(&str, &str)], args: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(args).env_clear().env("HOME", dir.path()).current_dir(dir.path()).envs(variables.iter().copied());
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let long = "0123456789abcdef0123456789abcdef";
    for (variables, words) in [
        ([("JWT_SECRET", &long[1..])], "shorter than 32 bytes"),
        ([("SUPABASE_URL", "http://project.supabase.co")], "does not begin with https://"),
        ([("SUPABASE_URL", "http://127.0.0.1.evil.example")], "does not begin with https://"),
        ([("SUPABASE_URL", "http://localhost:1@evil.example")], "does not begin with https://"),
        ([("DIALDECK_AUTH__CONSOLE_ROLE", "boss")], "none of viewer, operator, supervisor, admin"),
        ([("DIALDECK_LISTEN__PROXIES", "the proxy")], "no address"),
        ([("DIALDECK_LISTEN__ALLOW_ORIGINS", "app.example.com")], "no origin"),
    ] {
        let (code, told) = run(&variables, &["config", "check"]);
        assert!(code == Some(2) && told.contains(words), "{variables:?}: {code:?} {told}");
        assert!(!told.contains(&long[1..]), "{told}");
    }
    for variables in [[("JWT_SECRET", long)], [("SUPABASE_URL", "https://project.supabase.co")], [("SUPABASE_URL", "http://127.0.0.1:54321")]] {
        let (code, told) = run(&variables, &["config", "check"]);
        assert_eq!(code, Some(0), "{variables:?}: {told}");
    }
}

/// The command line acts with the installation's `[auth] console_role`.
#[test]
fn the_command_line_acts_with_the_consoles_role() {
    let dir = tempfile::tempdir().unwrap();
    let run = |role: &str, args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(args).env_clear().env("HOME", dir.path()).current_dir(dir.path()).env("DIALDECK_AUTH__CONSOLE_ROLE", role);
        let out = command.output().unwrap();
        (out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    assert_eq!(run("admin", &["assistant", "add", "Sarah"]).0, 0);
    for (role, args, allowed) in [
        ("viewer", &["campaign", "list"][..], true),
        ("viewer", &["assistant", "add", "Joe"], false),
        ("viewer", &["token", "--role", "operator"], false),
        ("operator", &["stop-all"], false),
        ("operator", &["token", "--role", "operator"], true),
        ("supervisor", &["stop-all"], true),
        ("supervisor", &["stop-all", "--release"], false),
        ("supervisor", &["terms", "accept", "--name", "Ana"], false),
        ("supervisor", &["token", "--role", "admin"], false),
        ("admin", &["stop-all", "--release"], true),
    ] {
        let (code, told) = run(role, args);
        assert_eq!(code, if allowed { 0 } else { 3 }, "{role} {args:?}: {told}");
        assert!(allowed || told.contains(&format!("console_role is {role}")), "{told}");
    }
}
