//! Live news as server-sent events: one owner's calls and campaigns, each as its row is now. An event's id
//! says how far was read; who comes back with it goes on there. A reader that is too far behind is told how
//! much it missed and goes on from now: it has lists to read anew.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    Api, ApiError,
    auth::Viewer,
    campaigns::used_today,
    open::{Counted, Open},
    rows,
};
use crate::{
    clock::{Clock, SystemClock},
    domain::id::OwnerId,
    store::{Height, Revision, StoreError},
};

pub type Streams = Open<OwnerId>;

/// No more than four looks a second, however often the bell rings.
const REST: Duration = Duration::from_millis(250);
/// Without a bell the rows are looked at this often.
const IDLE: Duration = Duration::from_secs(2);
/// A quiet stream says this often that it lives.
const ALIVE: Duration = Duration::from_secs(15);
/// How soon a client that lost us asks again.
const AGAIN: Duration = Duration::from_secs(2);
/// Lines of news behind which a reader is told that it missed some.
const FAR: i64 = 10_000;

/// Where one reader is.
struct Reader {
    api: Api,
    owner: OwnerId,
    at: Height,
    /// The last height the reader was told.
    told: Height,
    ready: VecDeque<Event>,
    bell: watch::Receiver<Revision>,
    /// A token that has run out reads nothing more.
    until: DateTime<Utc>,
    _place: Counted<OwnerId>,
}

pub async fn events(api: Api, Viewer(caller): Viewer, headers: HeaderMap) -> Result<Response, ApiError> {
    let wait = Duration::from_secs(5);
    let full = ApiError::RateLimited("too many streams of news are open: close one", wait);
    let place = api.edges.streams.enter(caller.owner, api.limits.streams).ok_or(full)?;
    let bell = api.desk.store().bell();
    let now = api.desk.store().height().await?;
    let named = headers.get("last-event-id").map(|id| id.to_str().ok().and_then(height));
    let mut reader = Reader { owner: caller.owner, at: now, told: now, ready: VecDeque::new(), bell, until: caller.expires, _place: place, api };
    match named {
        None => {}
        Some(Some(from)) if from.events <= now.events && from.audit <= now.audit => reader.at = from,
        // Of another database, or of none.
        Some(_) => reader.mark("this Last-Event-ID is none of ours"),
    }
    reader.ready.push_front(Event::default().event("ready").retry(AGAIN).id(id(reader.at)).data("{}"));
    let pieces = stream::unfold(reader, |mut reader| async move { Some((Ok::<_, Infallible>(reader.next().await?), reader)) });
    Ok(Sse::new(pieces).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}

fn id(at: Height) -> String {
    format!("{}-{}", at.events, at.audit)
}

fn height(id: &str) -> Option<Height> {
    let (events, audit) = id.split_once('-')?;
    let number = |text: &str| text.parse().ok().filter(|n| *n >= 0);
    Some(Height { events: number(events)?, audit: number(audit)? })
}

fn event(name: &str, row: &Value) -> Event {
    Event::default().event(name).data(row.to_string())
}

impl Reader {
    /// The next event; `None` at the stream's end, after which the client asks again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if SystemClock::new().now() >= self.until {
                return None;
            }
            match self.look().await {
                Ok(true) => {}
                Ok(false) => self.wait().await,
                Err(e) => {
                    tracing::warn!(target: "api", error = %e, "news could not be read: its reader is to ask again");
                    return None;
                }
            }
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.bell.changed() => {}
            () = tokio::time::sleep(IDLE) => {}
        }
        tokio::time::sleep(REST).await;
        self.bell.mark_unchanged();
    }

    /// Reads on; `false` when there is nothing more to read.
    async fn look(&mut self) -> Result<bool, StoreError> {
        let store = self.api.desk.store();
        let end = store.height().await?;
        if end == self.at {
            return Ok(false);
        }
        if end.events - self.at.events > FAR || end.audit - self.at.audit > FAR {
            self.at = end;
            self.mark("too far behind: read the lists anew");
            return Ok(true);
        }
        let news = store.news(self.owner, self.at, end).await?;
        self.at = news.to;
        self.ready.extend(news.calls.iter().map(|call| event("call", &rows::call(call))));
        for campaign in &news.campaigns {
            let mut row = rows::campaign(campaign, used_today(&self.api, campaign).await.unwrap_or_default());
            // Too long for news; the campaign's own page has it.
            row.as_object_mut().and_then(|map| map.remove("campaign_prompt"));
            self.ready.push_back(event("campaign", &row));
        }
        // The last of them carries the id: who loses us among them reads them again.
        match self.ready.pop_back() {
            Some(last) => {
                let id = self.tell();
                self.ready.push_back(last.id(id));
            }
            None if self.at.events - self.told.events > FAR / 2 || self.at.audit - self.told.audit > FAR / 2 => {
                let id = self.tell();
                self.ready.push_back(Event::default().id(id));
            }
            None => {}
        }
        Ok(true)
    }

    fn tell(&mut self) -> String {
        self.told = self.at;
        id(self.at)
    }

    /// Says that something was missed.
    fn mark(&mut self, why: &str) {
        let id = self.tell();
        self.ready.push_back(event("missed", &json!({ "message": why })).id(id));
    }
}
