//! What LiveKit says to a question of each kind, told apart further than the engine needs: which of key,
//! secret, clock and grant is wrong. Asks and changes nothing; no phone can ring by it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use livekit_api::access_token::{SIPGrants, VideoGrants};
use livekit_protocol as proto;
use prost::Message;

use super::{LiveKit, dial};
use crate::{
    domain::text::clean,
    telephony::{CarrierError, Trunk},
};

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// Nothing answers, and why.
    Away(&'static str),
    /// Something answers that is no LiveKit.
    NotLiveKit(u16),
    UnknownKey,
    WrongSecret,
    /// Our clock is behind: the token was over when it came.
    TokenExpired,
    /// Our clock is ahead: the token was not valid yet.
    TokenEarly,
    /// Key and secret hold, but may not do this.
    NoGrant,
    /// The server has no Redis, by which it would reach a SIP service.
    NoSip,
    RedisAway,
    Other(String),
}

/// What an examination found.
#[derive(Debug, Clone)]
pub struct Exam {
    /// The server's time of day, and for how long that is uncertain: it tells whole seconds.
    pub time: Option<DateTime<Utc>>,
    /// Whether it lists its rooms for our key.
    pub rooms: Result<(), Complaint>,
    /// The outbound trunks it lists.
    pub trunks: Result<Vec<Trunk>, Complaint>,
}

const PATIENCE: Duration = Duration::from_secs(10);

impl LiveKit {
    /// Asks for the time, the rooms and the trunks.
    pub async fn examine(&self) -> Exam {
        let video = VideoGrants { room_list: true, ..Default::default() };
        let (rooms, time) = self.ask("RoomService", "ListRooms", SIPGrants::default(), video).await;
        let sip = SIPGrants { admin: true, ..Default::default() };
        let (trunks, _) = self.ask("SIP", "ListSIPOutboundTrunk", sip, VideoGrants::default()).await;
        let read = |bytes: Vec<u8>| match proto::ListSipOutboundTrunkResponse::decode(bytes.as_slice()) {
            Ok(list) => Ok(list.items.into_iter().map(Trunk::from).collect()),
            Err(_) => Err(Complaint::Other("a garbled list of trunks".to_owned())),
        };
        Exam { time, rooms: rooms.map(drop), trunks: trunks.and_then(read) }
    }

    async fn ask(&self, service: &str, method: &str, sip: SIPGrants, video: VideoGrants) -> (Result<Vec<u8>, Complaint>, Option<DateTime<Utc>>) {
        let token = match self.raw.token(sip, video) {
            Ok(token) => token,
            Err(CarrierError::Other(words)) => return (Err(Complaint::Other(words)), None),
            Err(_) => return (Err(Complaint::WrongSecret), None),
        };
        let response = match self.raw.post(service, method, &token, Vec::new()).timeout(PATIENCE).send().await {
            Ok(response) => response,
            Err(e) => return (Err(Complaint::Away(dial::root_cause(&e))), None),
        };
        let time = response.headers().get(reqwest::header::DATE).and_then(|d| DateTime::parse_from_rfc2822(d.to_str().ok()?).ok()).map(|d| d.to_utc());
        let status = response.status().as_u16();
        let livekits = dial::is_livekits(&response);
        match response.bytes().await {
            Ok(body) if status == 200 && livekits => (Ok(body.to_vec()), time),
            Ok(body) => (Err(read_refusal(status, &body)), time),
            Err(e) => (Err(Complaint::Away(dial::root_cause(&e))), time),
        }
    }
}

/// A refusal by its words. They quote the whole token: nothing of them is kept.
fn read_refusal(status: u16, body: &[u8]) -> Complaint {
    let text = String::from_utf8_lossy(body);
    let has = |words: &str| text.contains(words);
    match status {
        401 if has("invalid API key") => Complaint::UnknownKey,
        401 if has("token is expired") => Complaint::TokenExpired,
        401 if has("not valid yet") || has("used before issued") => Complaint::TokenEarly,
        401 if has("signature is invalid") => Complaint::WrongSecret,
        401 | 403 if has("permissions denied") => Complaint::NoGrant,
        401 => Complaint::WrongSecret,
        500..=599 if has("sip not connected") => Complaint::NoSip,
        500..=599 if has("dial tcp") || has("redis") => Complaint::RedisAway,
        404 if has("bad_route") => Complaint::NoSip,
        500..=599 => Complaint::Other(clean(&format!("it answers HTTP {status}"), 100)),
        _ => Complaint::NotLiveKit(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the recorded words of a real server.
    #[test]
    fn key_secret_clock_and_grant_are_told_apart() {
        for (status, body, want) in [
            (401, "invalid API key: other", Complaint::UnknownKey),
            (401, "invalid token: eyJ, error: token signature is invalid: signature is invalid", Complaint::WrongSecret),
            (401, "invalid token: eyJ, error: token has invalid claims: token is expired", Complaint::TokenExpired),
            (401, "invalid token: eyJ, error: token has invalid claims: token is not valid yet", Complaint::TokenEarly),
            (401, r#"{"code":"unauthenticated","msg":"permissions denied"}"#, Complaint::NoGrant),
            (500, r#"{"code":"internal","msg":"sip not connected (redis required)"}"#, Complaint::NoSip),
            (404, r#"{"code":"bad_route","msg":"no handler for path \"/twirp/livekit.SIP/Nope\""}"#, Complaint::NoSip),
            (500, r#"{"code":"unknown","msg":"dial tcp 127.0.0.1:6379: connect: connection refused"}"#, Complaint::RedisAway),
            (404, "<html>not here</html>", Complaint::NotLiveKit(404)),
            (200, "<html>hello</html>", Complaint::NotLiveKit(200)),
        ] {
            assert_eq!(read_refusal(status, body.as_bytes()), want, "{body}");
        }
    }
}
