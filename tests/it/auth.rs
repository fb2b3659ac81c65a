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

fn every_route() -> impl Iterator<Item = (&'static str, Route)> {
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

/// Tokens of others: an identity provider on loopback, its keys, and what is made of its answers.
mod providers {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{Json, Router, extract::State, http::HeaderMap, routing::get};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use dialdeck::{
        api::{Auth, Provider},
        config::Secret,
    };
    use parking_lot::Mutex;
    use ring::{
        rand::SystemRandom,
        rsa::PublicKeyComponents,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::support::{Options, World};

    enum Signer {
        Rsa(RsaKeyPair),
        Ec(EcdsaKeyPair),
        Shared(Vec<u8>),
    }

    impl Signer {
        /// A key of the tests alone.
        fn rsa() -> Self {
            let pem = include_str!("keys/rs256.pem");
            let text: String = pem.lines().skip_while(|l| !l.starts_with('-')).filter(|l| !l.starts_with('-')).collect();
            let der = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
            Self::Rsa(RsaKeyPair::from_pkcs8(&der).unwrap())
        }

        fn ec() -> Self {
            let random = SystemRandom::new();
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap())
        }

        fn jwk(&self, kid: &str) -> Value {
            let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            match self {
                Self::Rsa(pair) => {
                    let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                    json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": b64(&public.n), "e": b64(&public.e) })
                }
                Self::Ec(pair) => {
                    let point = pair.public_key().as_ref();
                    json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid, "x": b64(&point[1..33]), "y": b64(&point[33..]), "key_ops": ["verify"] })
                }
                Self::Shared(secret) => json!({ "kty": "oct", "alg": "HS256", "kid": kid, "k": b64(secret) }),
            }
        }

        fn token(&self, alg: &str, kid: Option<&str>, claims: &Value) -> String {
            let mut head = json!({ "alg": alg, "typ": "JWT" });
            if let Some(kid) = kid {
                head["kid"] = json!(kid);
            }
            let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
            let signature = match self {
                Self::Rsa(pair) => {
                    let mut out = vec![0; pair.public().modulus_len()];
                    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut out).unwrap();
                    out
                }
                Self::Ec(pair) => pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
                Self::Shared(secret) => ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), message.as_bytes()).as_ref().to_vec(),
            };
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn seconds_from_now(seconds: i64) -> i64 {
        dialdeck::clock::Clock::now(&dialdeck::clock::SystemClock::new()).timestamp() + seconds
    }

    fn with_fraction(seconds: i64) -> Value {
        serde_json::from_str(&format!("{}.25", seconds_from_now(seconds))).unwrap()
    }

    fn claims(change: impl FnOnce(&mut Value)) -> Value {
        let mut claims = json!({ "sub": uuid::Uuid::now_v7(), "aud": "authenticated", "exp": seconds_from_now(600) });
        change(&mut claims);
        claims
    }

    /// What the provider says, and how often it was asked.
    #[derive(Default)]
    struct Said {
        keys: Mutex<Value>,
        keys_asked: AtomicUsize,
        user: Mutex<(u16, Value)>,
        users_asked: AtomicUsize,
    }

    struct Supabase {
        said: Arc<Said>,
        url: String,
    }

    impl Supabase {
        async fn start() -> Self {
            let said = Arc::<Said>::default();
            let keys = |State(said): State<Arc<Said>>| async move {
                said.keys_asked.fetch_add(1, Ordering::SeqCst);
                let keys = said.keys.lock().clone();
                if keys.is_null() { (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({}))) } else { (StatusCode::OK, Json(json!({ "keys": keys }))) }
            };
            let user = |State(said): State<Arc<Said>>, headers: HeaderMap| async move {
                said.users_asked.fetch_add(1, Ordering::SeqCst);
                assert!(headers["apikey"] == "service-role-key" && headers["authorization"].to_str().unwrap().starts_with("Bearer "));
                let (status, user) = said.user.lock().clone();
                (StatusCode::from_u16(status).unwrap(), Json(user))
            };
            let router = Router::new().route("/auth/v1/.well-known/jwks.json", get(keys)).route("/auth/v1/user", get(user)).with_state(said.clone());
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, router).await });
            Self { said, url }
        }

        fn auth(&self, issuer: &str, checks_secrets: bool) -> Auth {
            let provider = Provider::new(&self.url, Secret::new("service-role-key"), checks_secrets).unwrap();
            Auth::new(Secret::new(SECRET), "authenticated".into(), issuer.into(), Role::Supervisor).with_provider(provider)
        }

        async fn rest(&self, issuer: &str, checks_secrets: bool) -> Rest {
            self.over(World::new(Options::default()).await, issuer, checks_secrets)
        }

        /// The same, knowing nothing yet.
        fn over(&self, world: World, issuer: &str, checks_secrets: bool) -> Rest {
            let auth = Arc::new(self.auth(issuer, checks_secrets));
            Rest::built(world, "https://x.example", |api| api.auth = auth)
        }

        fn asked(&self) -> (usize, usize) {
            (self.said.keys_asked.load(Ordering::SeqCst), self.said.users_asked.load(Ordering::SeqCst))
        }
    }

    const SECRET: &str = "a-secret-of-the-test-that-is-long-enough";

    async fn status(rest: &Rest, token: &str) -> u16 {
        call(&rest.router, "GET", "/api/v1/campaigns", token, None).await.status.as_u16()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn tokens_by_the_providers_public_keys() {
        let supabase = Supabase::start().await;
        let rest = supabase.rest("", true).await;
        let (rsa, ec) = (Signer::rsa(), Signer::ec());
        // Away: nobody is let in, and it is not asked again for each who comes.
        *supabase.said.keys.lock() = Value::Null;
        for _ in 0..5 {
            assert_eq!(status(&rest, &ec.token("ES256", Some("e"), &claims(|_| {}))).await, 503);
        }
        assert_eq!(supabase.asked(), (1, 0));
        let rest = supabase.over(rest.world, "", true);
        *supabase.said.keys.lock() = json!([{ "kty": "OKP", "crv": "Ed25519", "kid": "new", "x": "AA" }, rsa.jwk("r"), ec.jwk("e"), "no key"]);
        for _ in 0..3 {
            assert_eq!(status(&rest, &rsa.token("RS256", Some("r"), &claims(|_| {}))).await, 200);
            assert_eq!(status(&rest, &ec.token("ES256", Some("e"), &claims(|_| {}))).await, 200);
            assert_eq!(status(&rest, &ec.token("ES256", None, &claims(|_| {}))).await, 200, "the only key of its kind");
        }
        assert_eq!(supabase.asked(), (2, 0), "kept");
        // One family of algorithms a key: a public key is no shared secret.
        let n = rsa.jwk("r")["n"].as_str().unwrap().to_owned();
        let forged = Signer::Shared(URL_SAFE_NO_PAD.decode(&n).unwrap()).token("HS256", Some("r"), &claims(|_| {}));
        let mixed = [
            forged,
            Signer::Shared(n.into_bytes()).token("HS256", Some("r"), &claims(|_| {})),
            rsa.token("RS256", Some("e"), &claims(|_| {})),
            ec.token("ES256", Some("r"), &claims(|_| {})),
            Signer::ec().token("ES256", Some("e"), &claims(|_| {})),
            ec.token("none", None, &claims(|_| {})),
            ec.token("ES384", Some("e"), &claims(|_| {})),
            ec.token("ES256", Some("e"), &claims(|c| c["exp"] = json!(seconds_from_now(-60)))),
            ec.token("ES256", Some("e"), &claims(|c| c["aud"] = json!("others"))),
        ];
        for token in &mixed {
            assert_eq!(status(&rest, token).await, 401, "{token}");
        }
        // A key that is new is found by one question; one that is nobody's costs no more of them.
        let newer = Signer::ec();
        let asked = supabase.asked().0;
        let rest = supabase.over(rest.world, "", true);
        *supabase.said.keys.lock() = json!([ec.jwk("e")]);
        assert_eq!(status(&rest, &ec.token("ES256", Some("e"), &claims(|_| {}))).await, 200);
        *supabase.said.keys.lock() = json!([newer.jwk("newer")]);
        assert_eq!(status(&rest, &newer.token("ES256", Some("newer"), &claims(|_| {}))).await, 200);
        for _ in 0..20 {
            assert_eq!(status(&rest, &newer.token("ES256", Some("nobodys"), &claims(|_| {}))).await, 401);
        }
        assert_eq!(status(&rest, &ec.token("ES256", Some("e"), &claims(|_| {}))).await, 401, "a key taken back");
        assert_eq!(supabase.asked().0, asked + 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_provider_is_asked_where_its_secret_is_not_known() {
        let supabase = Supabase::start().await;
        let rest = supabase.rest("", true).await;
        let theirs = Signer::Shared(b"the provider's own secret, not ours".to_vec());
        let issuer = format!("{}/auth/v1", supabase.url);
        let person = claims(|c| c["iss"] = json!(issuer));
        let token = theirs.token("HS256", None, &person);
        *supabase.said.user.lock() = (200, json!({ "id": person["sub"] }));
        for _ in 0..5 {
            assert_eq!(status(&rest, &token).await, 200);
        }
        assert_eq!(supabase.asked(), (0, 1), "known for a minute");
        // Ours need no question; another issuer's get none.
        assert_eq!(status(&rest, &rest.token).await, 200);
        assert_eq!(status(&rest, &theirs.token("HS256", None, &claims(|c| c["iss"] = json!("https://others.example")))).await, 401);
        assert_eq!(status(&rest, &theirs.token("HS256", None, &claims(|_| {}))).await, 401);
        let late = claims(|c| (c["iss"], c["exp"]) = (json!(issuer), json!(seconds_from_now(-60))));
        assert_eq!(status(&rest, &theirs.token("HS256", None, &late)).await, 401);
        assert_eq!(supabase.asked(), (0, 1));
        // Who is not known, or is somebody else, is denied; so is everybody while it cannot be asked.
        let other = || theirs.token("HS256", None, &claims(|c| c["iss"] = json!(issuer)));
        let somebody_else = other();
        for _ in 0..3 {
            assert_eq!(status(&rest, &somebody_else).await, 401);
        }
        assert_eq!(supabase.asked(), (0, 2), "a denial is kept too");
        for (said, want) in [(401, 401), (403, 401), (500, 503), (302, 503)] {
            *supabase.said.user.lock() = (said, json!({}));
            assert_eq!(status(&rest, &other()).await, want, "{said}");
        }
        // Where the secret is configured nobody is asked.
        let rest = supabase.over(rest.world, "", false);
        let before = supabase.asked();
        assert_eq!(status(&rest, &token).await, 401);
        assert_eq!(supabase.asked(), before);
    }

    /// As other programs write them: PyJWT, jose, GoTrue.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn claims_in_every_spelling() {
        let supabase = Supabase::start().await;
        let rest = supabase.rest("https://issuer.example", false).await;
        let ours = Signer::Shared(SECRET.as_bytes().to_vec());
        let said = |change: fn(&mut Value)| {
            let claims = claims(|c| {
                c["iss"] = json!("https://issuer.example");
                change(c);
            });
            ours.token("HS256", None, &claims)
        };
        let right: [fn(&mut Value); 7] = [
            |_| {},
            |c| c["aud"] = json!(["others", "authenticated"]),
            |c| c["exp"] = with_fraction(600),
            |c| c["app_metadata"] = Value::Null,
            |c| c["app_metadata"] = json!({ "provider": "email", "providers": ["email"] }),
            |c| c["nbf"] = json!(seconds_from_now(-5)),
            |c| c["nbf"] = json!(seconds_from_now(10)),
        ];
        for (i, change) in right.into_iter().enumerate() {
            assert_eq!(status(&rest, &said(change)).await, 200, "{i}");
        }
        let wrong: [fn(&mut Value); 11] = [
            |c| c["iss"] = Value::Null,
            |c| drop(c.as_object_mut().unwrap().remove("iss")),
            |c| c["iss"] = json!("https://others.example"),
            |c| c["aud"] = json!(["others"]),
            |c| drop(c.as_object_mut().unwrap().remove("aud")),
            |c| c["nbf"] = json!(seconds_from_now(60)),
            |c| c["exp"] = with_fraction(-60),
            |c| c["exp"] = json!("tomorrow"),
            |c| drop(c.as_object_mut().unwrap().remove("sub")),
            |c| c["sub"] = json!("ana"),
            |c| c["app_metadata"] = json!({ "dialdeck_role": "owner" }),
        ];
        for (i, change) in wrong.into_iter().enumerate() {
            assert_eq!(status(&rest, &said(change)).await, 401, "{i}");
        }
        for scheme in ["bearer", "BEARER", "Bearer"] {
            let request = Request::get("/api/v1/campaigns").header("authorization", format!("{scheme} {}", said(|_| {})));
            assert_eq!(send(&rest.router, request.body(Body::empty()).unwrap()).await.status, StatusCode::OK, "{scheme}");
        }
    }
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
