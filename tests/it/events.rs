//! Live news: one owner's rows as they move, without a gap for whoever comes back.

use std::time::Duration;

use axum::{body::Body, http::Request};
use dialdeck::{
    api::Role,
    domain::id::{CampaignId, OwnerId},
};
use futures_util::StreamExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{
    api::{Rest, code},
    support::{csv_of, http::send},
};

/// One event as a browser would hand it on.
#[derive(Debug, Clone, Default)]
struct News {
    name: String,
    id: Option<String>,
    data: Value,
}

/// An open stream and what of it is not read yet.
struct Reader {
    body: axum::body::BodyDataStream,
    text: String,
}

fn request(token: &str, from: Option<&str>) -> Request<Body> {
    let request = Request::get("/api/v1/events").header("authorization", format!("Bearer {token}"));
    let request = if let Some(id) = from { request.header("last-event-id", id) } else { request };
    request.body(Body::empty()).unwrap()
}

impl Reader {
    async fn open(rest: &Rest, token: &str, from: Option<&str>) -> Self {
        let answer = rest.router.clone().oneshot(request(token, from)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "text/event-stream"));
        Self { body: answer.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event, comments left out; `None` at the stream's end.
    async fn next(&mut self) -> Option<News> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n").map(|(block, rest)| (block.to_owned(), rest.to_owned())) {
                let mut news = News::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("event", name)) => name.clone_into(&mut news.name),
                        Some(("id", id)) => news.id = Some(id.to_owned()),
                        Some(("data", data)) => news.data = serde_json::from_str(data).unwrap(),
                        _ => {}
                    }
                }
                let silent = news.name.is_empty() && news.id.is_none();
                self.text = rest;
                if silent {
                    continue;
                }
                return Some(news);
            }
            let piece = tokio::time::timeout(Duration::from_mins(1), self.body.next()).await.expect("news in time")?;
            self.text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }

    /// Reads until it holds; all that was read.
    async fn until(&mut self, holds: impl Fn(&News) -> bool) -> Vec<News> {
        let mut all = Vec::new();
        loop {
            let news = self.next().await.expect("the stream goes on");
            all.push(news);
            if holds(all.last().unwrap()) {
                return all;
            }
        }
    }
}

fn is_done(news: &News) -> bool {
    news.name == "campaign" && news.data["execution_status"] == "completed"
}

/// Each of the campaign's calls has been told of in the state it ended in.
async fn assert_all_told(rest: &Rest, campaign: CampaignId, news: &[News]) {
    for call in rest.world.calls(campaign).await {
        let id = call.id.to_string();
        let last = news.iter().rev().find(|n| n.name == "call" && n.data["id"] == id.as_str());
        let last = last.unwrap_or_else(|| panic!("call {id} was never told of"));
        assert_eq!(last.data["phase"], call.state.as_str(), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_is_told_to_its_owner_alone_and_without_a_gap() {
    let mut rest = Rest::new().await;
    let stranger = rest.mint(OwnerId::fresh(), Role::Admin);
    let (mut own, mut theirs) = (Reader::open(&rest, &rest.token, None).await, Reader::open(&rest, &stranger, None).await);
    assert_eq!(own.next().await.unwrap().name, "ready");
    assert_eq!(theirs.next().await.unwrap().name, "ready");
    let campaign = rest.world.running(csv_of(60), |_| {}).await;
    // The connection breaks in the middle of it; the client comes back with the last id it saw.
    let mut news = own.until(|n| n.name == "call" && n.data["status"] == "answered").await;
    assert!(news.iter().any(|n| n.name == "campaign" && n.data["execution_status"] == "running"), "{news:?}");
    drop(own);
    rest.world.until_completed(campaign, Duration::from_mins(1)).await;
    let seen = news.iter().rev().find_map(|n| n.id.clone());
    let mut again = Reader::open(&rest, &rest.token, Some(seen.as_deref().unwrap_or("0-0"))).await;
    assert_eq!(again.next().await.unwrap().name, "ready");
    news.extend(again.until(is_done).await);
    assert_all_told(&rest, campaign, &news).await;
    let last = news.last().unwrap();
    assert!(last.data.get("campaign_prompt").is_none() && last.data["dials"] == rest.world.row(campaign).await.counts.dials, "{last:?}");
    assert!(news.iter().all(|n| n.name != "call" || n.data["campaign_id"] == campaign.to_string().as_str()));
    // The stranger's stream says nothing of it, and hears of its own.
    let w = &rest.world;
    let actor = dialdeck::desk::Actor { owner: serde_json::from_value(Value::from(owner_of(&stranger))).unwrap(), ..w.actor.clone() };
    let source = {
        let mine = std::mem::replace(&mut rest.world.actor, actor.clone());
        let (source, _) = rest.world.import(csv_of(1)).await;
        rest.world.actor = mine;
        source
    };
    let assistant = rest.world.desk.add_assistant(actor.clone(), None, "Joe".into(), None, "Hi".into(), None).await.unwrap().id;
    let draft = dialdeck::desk::CampaignDraft {
        name: "Theirs".into(),
        assistant,
        source: dialdeck::domain::campaign::ContactSource::CsvFile,
        source_id: source,
        prompt: "Hi".into(),
        agent_name: None,
        settings: crate::support::settings(),
    };
    let made = rest.world.desk.create_campaign(actor, draft).await.unwrap();
    let heard = theirs.until(|n| n.name == "campaign").await;
    assert!(heard.iter().all(|n| n.name == "campaign" && n.data["id"] == made.to_string().as_str() || n.name.is_empty()), "{heard:?}");
}

/// `sub` of a token.
fn owner_of(token: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_too_far_behind_is_told_so_and_goes_on_from_now() {
    let rest = Rest::new().await;
    let (source, _) = rest.world.import(csv_of(1)).await;
    let flood = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
                 INSERT INTO call_events (key, source, kind, raw, at, received_at) SELECT 'flood:' || i, 'engine', '{}', '{}', '2026-11-18T00:00:00+00:00', '2026-11-18T00:00:00+00:00' FROM n";
    rest.world.base.run(flood).await;
    for strange in ["0-0", "99999999-0", "x", "-1-5", ""] {
        let mut reader = Reader::open(&rest, &rest.token, Some(strange)).await;
        let told = reader.until(|n| n.name == "missed").await;
        assert!(told.last().unwrap().id.is_some(), "{strange}: {told:?}");
        let made = rest.world.campaign(source, |_| {}).await.to_string();
        let told = reader.until(|n| n.name == "campaign").await;
        assert!(told.iter().all(|n| n.name != "missed") && told.last().unwrap().data["id"] == made.as_str(), "{strange}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_counted_by_owner_and_end_with_their_token() {
    let rest = Rest::new().await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Reader::open(&rest, &rest.token, None).await);
    }
    let one_more = async |token: &str| rest.router.clone().oneshot(request(token, None)).await.unwrap().status().as_u16();
    assert_eq!(one_more(&rest.token).await, 429);
    assert_eq!(one_more(&rest.mint(OwnerId::fresh(), Role::Viewer)).await, 200, "another owner's are its own");
    open.pop();
    assert_eq!(one_more(&rest.token).await, 200);
    drop(open);
    assert_eq!(code(&send(&rest.router, Request::get("/api/v1/events").body(Body::empty()).unwrap()).await), (401, "unauthenticated".into()));
    // Thirty seconds are forgiven: of this token two are left.
    let until = dialdeck::clock::Clock::now(&dialdeck::clock::SystemClock::new()) - chrono::Duration::seconds(28);
    let token = rest.auth.mint(OwnerId::fresh(), Role::Viewer, until, None).unwrap();
    let mut reader = Reader::open(&rest, &token, None).await;
    let end = async {
        while let Some(news) = reader.next().await {
            assert_eq!(news.name, "ready");
        }
    };
    assert!(tokio::time::timeout(Duration::from_mins(1), end).await.is_ok(), "it goes on without a token");
}
