//! Tokens of others: an identity provider on loopback, its keys, and what is made of its answers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dialdeck::{
    api::{Auth, Provider, Role},
    config::Secret,
};
use parking_lot::Mutex;
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::{
    api::Rest,
    support::{
        Options, World,
        http::{call, send},
    },
};

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
