//! The part of Twilio that is beside the trunk: Programmable Voice legs made by REST, which send
//! signed status callbacks, and the list of calls. Trunk calls are in the list too and send none.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, Query, State as Axum},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::Engine;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Shared, behaviour::Callee, world::World};
use crate::telephony::twilio::{Form, form_pairs, sign};

type Sim = Arc<Shared>;

/// A call as Twilio knows it.
#[derive(Debug, Clone)]
pub struct TwilioCall {
    pub sid: String,
    pub from: String,
    pub to: String,
    pub status: &'static str,
    /// `outbound-api`, or `trunking-originating` for calls that came over our trunk.
    pub direction: &'static str,
    pub started: DateTime<Utc>,
    pub seconds: i64,
}

/// A Programmable Voice leg on its way, and where its callbacks go.
struct Leg {
    shared: Sim,
    sid: String,
    from: String,
    to: String,
    callback: Option<String>,
    events: Vec<String>,
    sequence: u32,
}

fn call_sid() -> String {
    format!("CA{}", uuid::Uuid::new_v4().simple())
}

/// A call that came over our trunk: in the list, but it has no callbacks.
pub fn trunk_call(world: &mut World, from: &str, to: &str, now: DateTime<Utc>) -> String {
    let call = TwilioCall {
        sid: call_sid(),
        from: from.to_owned(),
        to: to.to_owned(),
        status: "ringing",
        direction: "trunking-originating",
        started: now,
        seconds: 0,
    };
    let sid = call.sid.clone();
    world.twilio_calls.push(call);
    sid
}

/// Moves a call on in the list.
pub fn set_status(world: &mut World, sid: &str, status: &'static str, seconds: i64) {
    if let Some(call) = world.twilio_calls.iter_mut().find(|c| c.sid == sid) {
        (call.status, call.seconds) = (status, seconds);
    }
}

fn authenticated(s: &Sim, account: &str, headers: &HeaderMap) -> bool {
    let want = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", s.config.twilio_account, s.config.twilio_token));
    let given = headers.get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()).and_then(|h| h.strip_prefix("Basic "));
    account == s.config.twilio_account && given == Some(want.as_str())
}

fn error(status: StatusCode, code: u32, message: &str) -> Response {
    let body = json!({ "code": code, "message": message, "more_info": format!("https://www.twilio.com/docs/errors/{code}"), "status": status.as_u16() });
    (status, axum::Json(body)).into_response()
}

fn unauthenticated() -> Response {
    error(StatusCode::UNAUTHORIZED, 20003, "Authenticate")
}

/// `POST .../Calls.json`: a leg is made, queued, and called.
pub async fn create(Axum(s): Axum<Sim>, Path(account): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if !authenticated(&s, &account, &headers) {
        return unauthenticated();
    }
    let form = form_pairs(&body);
    let get = |key: &str| form.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let (Some(to), Some(from)) = (get("To"), get("From")) else {
        return error(StatusCode::BAD_REQUEST, 21201, "No 'To' or 'From' number is specified");
    };
    if get("Url").is_none() && get("Twiml").is_none() {
        return error(StatusCode::BAD_REQUEST, 21205, "Url parameter is required");
    }
    let events: Vec<String> = form.iter().filter(|(k, _)| k == "StatusCallbackEvent").flat_map(|(_, v)| v.split(' ').map(str::to_owned)).collect();
    let events = if events.is_empty() { vec!["completed".to_owned()] } else { events };
    let call =
        TwilioCall { sid: call_sid(), from: from.clone(), to: to.clone(), status: "queued", direction: "outbound-api", started: s.clock.now(), seconds: 0 };
    let answer = as_json(&s, &call);
    let mut leg = Leg { shared: s.clone(), sid: call.sid.clone(), from, to, callback: get("StatusCallback"), events, sequence: 0 };
    s.world.lock().twilio_calls.push(call);
    s.spawn(async move { leg.run().await });
    (StatusCode::CREATED, axum::Json(answer)).into_response()
}

/// `GET .../Calls.json?To=&From=`: newest first.
pub async fn list(Axum(s): Axum<Sim>, Path(account): Path<String>, headers: HeaderMap, Query(query): Query<Vec<(String, String)>>) -> Response {
    if !authenticated(&s, &account, &headers) {
        return unauthenticated();
    }
    let calls: Vec<TwilioCall> = s.world.lock().twilio_calls.iter().rev().cloned().collect();
    let wanted = |c: &TwilioCall| {
        query.iter().all(|(k, v)| match k.as_str() {
            "To" => *v == c.to,
            "From" => *v == c.from,
            _ => true,
        })
    };
    let calls: Vec<Value> = calls.iter().filter(|c| wanted(c)).take(1000).map(|c| as_json(&s, c)).collect();
    axum::Json(json!({ "calls": calls, "page": 0, "page_size": 1000, "next_page_uri": null })).into_response()
}

/// The sid of the trunk that carries the number at this place of the list.
fn trunk_sid(at: usize) -> String {
    format!("TK{at:032x}")
}

/// `GET .../IncomingPhoneNumbers.json?PhoneNumber=`: the filter matches parts of numbers.
pub async fn numbers(Axum(s): Axum<Sim>, Path(account): Path<String>, headers: HeaderMap, Query(query): Query<Vec<(String, String)>>) -> Response {
    if !authenticated(&s, &account, &headers) {
        return unauthenticated();
    }
    let wanted = query.iter().find(|(k, _)| k == "PhoneNumber").map(|(_, v)| v.clone()).unwrap_or_default();
    let world = s.world.lock();
    let found = world.twilio_numbers.iter().enumerate().filter(|(_, (number, _))| number.contains(&wanted));
    let numbers: Vec<Value> = found
        .map(|(at, (number, domain))| json!({ "phone_number": number, "account_sid": account, "trunk_sid": domain.as_ref().map(|_| trunk_sid(at)) }))
        .collect();
    axum::Json(json!({ "incoming_phone_numbers": numbers, "page": 0, "next_page_uri": null })).into_response()
}

/// `GET https://trunking.twilio.com/v1/Trunks/{sid}`.
pub async fn trunk(Axum(s): Axum<Sim>, Path(sid): Path<String>, headers: HeaderMap) -> Response {
    if !authenticated(&s, &s.config.twilio_account, &headers) {
        return unauthenticated();
    }
    let world = s.world.lock();
    let found = world.twilio_numbers.iter().enumerate().find(|(at, _)| trunk_sid(*at) == sid);
    match found {
        Some((_, (_, domain))) => axum::Json(json!({ "sid": sid, "domain_name": domain.as_deref().filter(|d| !d.is_empty()) })).into_response(),
        None => error(StatusCode::NOT_FOUND, 20404, "The requested resource was not found"),
    }
}

/// `GET .../Recordings.json?CallSid=`: every call that was talked on has one, ready ten seconds after its end.
pub async fn recordings(Axum(s): Axum<Sim>, Path(account): Path<String>, headers: HeaderMap, Query(query): Query<Vec<(String, String)>>) -> Response {
    if !authenticated(&s, &account, &headers) {
        return unauthenticated();
    }
    let now = s.clock.now();
    let calls: Vec<TwilioCall> = s.world.lock().twilio_calls.iter().rev().cloned().collect();
    let wanted = |c: &&TwilioCall| c.status == "completed" && query.iter().all(|(k, v)| k != "CallSid" || *v == c.sid);
    let recordings: Vec<Value> = calls
        .iter()
        .filter(wanted)
        .map(|c| {
            let sid = format!("RE{}", &c.sid[2..]);
            let ready = now - c.started > chrono::Duration::seconds(c.seconds + 10);
            let status = if ready { "completed" } else { "processing" };
            json!({ "sid": sid, "call_sid": c.sid, "status": status, "duration": ready.then(|| c.seconds.to_string()), "source": "Trunking",
                    "uri": format!("/2010-04-01/Accounts/{account}/Recordings/{sid}.json") })
        })
        .collect();
    axum::Json(json!({ "recordings": recordings, "page": 0, "page_size": 50, "next_page_uri": null })).into_response()
}

fn as_json(s: &Sim, c: &TwilioCall) -> Value {
    json!({
        "sid": c.sid,
        "account_sid": s.config.twilio_account,
        "from": c.from,
        "to": c.to,
        "status": c.status,
        "direction": c.direction,
        "start_time": c.started.to_rfc2822(),
        "date_created": c.started.to_rfc2822(),
        "duration": c.seconds.to_string(),
    })
}

/// Twilio's word for a call that ended with a SIP refusal.
pub fn refused(code: u16) -> &'static str {
    match code {
        486 | 600 | 603 => "busy",
        480 | 487 => "no-answer",
        _ => "failed",
    }
}

impl Leg {
    /// Rings and talks as the number's plan says, and tells of each step.
    async fn run(&mut self) {
        let (shared, sid) = (self.shared.clone(), self.sid.clone());
        shared.sleep(Duration::from_millis(50)).await;
        self.tell("initiated", "initiated", 0, None);
        let nth = shared.world.lock().nth_call(&self.to);
        let (ring, talk, refusal) = match shared.config.behaviour.plan(&self.to, nth).callee {
            Callee::Answer { ring, talk } => (ring, Some(talk.unwrap_or(Duration::from_mins(1))), None),
            Callee::Reject { ring, code, .. } => (ring, None, Some(code)),
            Callee::RingForever | Callee::PickUpAsCancelled => (Duration::from_mins(1), None, Some(487)),
            Callee::WantsCredentials => (Duration::ZERO, None, Some(403)),
        };
        if refusal != Some(404) {
            self.tell("ringing", "ringing", 0, None);
        }
        shared.sleep(ring).await;
        let Some(talk) = talk else {
            return self.tell("completed", refused(refusal.unwrap_or(487)), 0, refusal);
        };
        self.tell("answered", "in-progress", 0, None);
        shared.sleep(talk).await;
        self.tell("completed", "completed", i64::try_from(talk.as_secs()).unwrap_or(0), Some(200));
        shared.world.lock().note(shared.clock.now(), format!("twilio {sid} completed"));
    }

    /// Moves the call on in the list and sends the callback where it was asked for.
    fn tell(&mut self, event: &str, status: &'static str, seconds: i64, sip: Option<u16>) {
        let now = self.shared.clock.now();
        set_status(&mut self.shared.world.lock(), &self.sid, status, seconds);
        let Some(url) = self.callback.clone().filter(|_| self.events.iter().any(|e| e == event)) else { return };
        let mut form: Form = [
            ("AccountSid", self.shared.config.twilio_account.as_str()),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", &self.sid),
            ("CallStatus", status),
            ("CallbackSource", "call-progress-events"),
            ("Called", &self.to),
            ("Caller", &self.from),
            ("Direction", "outbound-api"),
            ("From", &self.from),
            ("SequenceNumber", &self.sequence.to_string()),
            ("Timestamp", &now.to_rfc2822()),
            ("To", &self.to),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
        self.sequence += 1;
        if event == "completed" {
            form.push(("CallDuration".to_owned(), seconds.to_string()));
            form.extend((status == "completed").then(|| ("Duration".to_owned(), (seconds / 60 + 1).to_string())));
            form.extend(sip.map(|c| ("SipResponseCode".to_owned(), c.to_string())));
        }
        let shared = self.shared.clone();
        self.shared.spawn(async move { send(&shared, &url, &form).await });
    }
}

/// Twilio's default: once more when the connection fails, never after an answer.
async fn send(shared: &Sim, url: &str, form: &Form) {
    // The fragment holds connection overrides; it is neither sent nor signed.
    let url = url.split('#').next().unwrap_or(url);
    let faults = shared.faults.lock().clone();
    let (dropped, doubled) = {
        let mut world = shared.world.lock();
        (world.chance(faults.webhook_drop), world.chance(faults.webhook_duplicate))
    };
    if dropped {
        return;
    }
    let signature = sign(&shared.config.twilio_token, url, form);
    let token = uuid::Uuid::new_v4().to_string();
    for _ in 0..=usize::from(doubled) {
        for _ in 0..2 {
            let sent = shared
                .http
                .post(url)
                .header("x-twilio-signature", &signature)
                .header("i-twilio-idempotency-token", &token)
                .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
                .body(encode(form))
                .timeout(Duration::from_secs(15))
                .send()
                .await;
            if sent.is_ok() {
                break;
            }
        }
    }
}

fn encode(form: &Form) -> String {
    let escape = |s: &str| {
        s.bytes().fold(String::new(), |mut out, b| {
            match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(char::from(b)),
                b' ' => out.push('+'),
                _ => out.push_str(&format!("%{b:02X}")),
            }
            out
        })
    };
    form.iter().map(|(k, v)| format!("{}={}", escape(k), escape(v))).collect::<Vec<_>>().join("&")
}
