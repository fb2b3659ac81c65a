//! Figures for Prometheus: what was counted in this process, and a few sums of rows at each look.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::prometheus_text,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use super::{Api, ApiError};
use crate::{
    desk::Label,
    domain::{call::State as CallState, stats::Counts},
    store::{Figures, Setting},
};

type Pair = [(&'static str, &'static str); 2];

/// What this listener counts.
pub struct Counters {
    requests: Family<Label, Counter>,
    webhooks: Family<Pair, Counter>,
    /// From what happened to its commit here.
    lag: Family<Label, Histogram, fn() -> Histogram>,
}

impl Default for Counters {
    fn default() -> Self {
        let lag: fn() -> Histogram = || Histogram::new(exponential_buckets(0.05, 2.0, 14));
        Self { requests: Family::default(), webhooks: Family::default(), lag: Family::new_with_constructor(lag) }
    }
}

impl Counters {
    pub fn answered(&self, status: StatusCode) {
        let class = match status.as_u16() {
            ..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        self.requests.get_or_create(&[("class", class)]).inc();
    }

    pub fn webhook(&self, source: &'static str, result: &'static str) {
        self.webhooks.get_or_create(&[("source", source), ("result", result)]).inc();
    }

    pub fn kept(&self, source: &'static str, at: DateTime<Utc>, now: DateTime<Utc>) {
        self.webhook(source, "kept");
        self.lag.get_or_create(&[("source", source)]).observe((now - at).as_seconds_f64().max(0.0));
    }
}

/// The page that is read.
struct Page(Registry);

impl Page {
    fn gauge(&mut self, name: &str, help: &str, value: i64) {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    fn gauges(&mut self, name: &str, help: &str, label: &'static str, values: impl IntoIterator<Item = (String, i64)>) {
        let family = Family::<[(&'static str, String); 1], Gauge>::default();
        for (value, n) in values {
            family.get_or_create(&[(label, value)]).set(n);
        }
        self.0.register(name, help, family);
    }
}

pub async fn metrics(api: Api) -> Result<Response, ApiError> {
    // One look at a time, however many ask.
    let _turn = api.edges.looking.lock().await;
    let figures = api.house().store().figures().await?;
    let mut page = Page(Registry::with_prefix("dialdeck"));
    counted(&mut page, &api);
    rows(&mut page, &figures, api.clock.now());
    standing(&mut page, &api).await?;
    let mut text = String::new();
    prometheus_text::encode(&mut text, &page.0).map_err(|e| ApiError::Internal(e.to_string()))?;
    Ok(([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response())
}

/// Since this process began.
fn counted(page: &mut Page, api: &Api) {
    let (desk, here, registry) = (api.house().meters().clone(), &api.edges.counters, &mut page.0);
    registry.register("dials", "Calls armed by this process, each of which was dialled once", desk.dials);
    registry.register("gate_refusals", "Calls that a gate turned away, by its name", desk.refusals);
    registry.register("arm_seconds", "From the wish to arm a call to its commit", desk.arm);
    registry.register("webhooks", "Webhooks, by who sent them and what became of them", here.webhooks.clone());
    registry.register("webhook_lag_seconds", "From what a webhook tells of to its commit here", here.lag.clone());
    registry.register("http_requests", "Requests, by the class of their answer", here.requests.clone());
    let waiting = api.house().store().waiting();
    let lanes = [("urgent", waiting.urgent), ("bulk", waiting.bulk)];
    page.gauges("writer_queue_jobs", "Writes that wait for their turn", "lane", lanes.map(|(l, n)| (l.to_owned(), whole(n))));
    page.gauge("event_streams", "Open streams of live news", whole(api.edges.streams.count()));
    page.gauges("build", "This program", "version", [(env!("CARGO_PKG_VERSION").to_owned(), 1)]);
}

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Of the database: the same on every host.
fn rows(page: &mut Page, figures: &Figures, now: DateTime<Utc>) {
    let c: &Counts = &figures.counts;
    let states = [
        ("pending", c.pending),
        ("calling", c.processing - c.answered_now),
        ("answered", c.answered_now),
        ("completed", c.completed),
        ("failed", c.failed),
        ("no_answer", c.no_answer),
        ("busy", c.busy),
        ("canceled", c.canceled),
    ];
    page.gauges("calls", "Calls by their state", "state", states.map(|(s, n)| (s.to_owned(), n)));
    let results = [
        ("interested", c.interested),
        ("not_interested", c.not_interested),
        ("callback", c.callback),
        ("do_not_call", c.do_not_call),
        ("voicemail", c.voicemail),
        ("wrong_number", c.wrong_number),
        ("untagged", c.untagged),
    ];
    page.gauges("results", "Answered calls by their outcome", "result", results.map(|(r, n)| (r.to_owned(), n)));
    page.gauge("calls_dialled", "Calls that rang, of all campaigns that are kept", c.dials);
    page.gauge("calls_answered", "Calls that were picked up, of all campaigns that are kept", c.pickups);
    page.gauge("calls_without_agent", "Answered calls that found no agent", figures.abandoned);
    page.gauge("talk_seconds", "Seconds talked, of all campaigns that are kept", c.talk_seconds);
    page.gauge("queue_calls", "Calls that wait in running campaigns", figures.queued);
    page.gauges("campaigns", "Campaigns by their state", "state", figures.campaigns.iter().cloned());
    page.gauges("lines_in_use", "Calls on each trunk", "trunk", figures.lines.iter().map(|l| (l.livekit_id.clone(), l.live)));
    page.gauges("lines", "Calls that each trunk may bear", "trunk", figures.lines.iter().map(|l| (l.livekit_id.clone(), l.max_live)));
    let open = |states: &[CallState]| figures.open.iter().filter(|(s, _)| states.contains(s)).map(|(_, n)| n).sum();
    let waiting = open(&[CallState::Armed, CallState::Dialing, CallState::Ringing]);
    let agents = [("talking", open(&[CallState::Answered])), ("waiting", waiting)];
    page.gauges("agents", "Agents in rooms of open calls", "state", agents.map(|(s, n)| (s.to_owned(), n)));
    let age = figures.heartbeat.map_or(-1, |at| (now - at).num_seconds().max(0));
    page.gauge("engine_heartbeat_age_seconds", "How long ago an engine was last heard of; -1 for never", age);
}

/// Whether it can dial, and whether it may.
async fn standing(page: &mut Page, api: &Api) -> Result<(), ApiError> {
    let store = api.house().store();
    let well = store.setting(Setting::EngineHealth).await?.is_none() && store.trouble().is_none();
    page.gauge("ready", "1 while /readyz says so", i64::from(unready(api).is_none()));
    page.gauge("engine_well", "1 while nothing keeps the engine from dialling", i64::from(well));
    page.gauge("kill_switch", "1 while the kill switch is on", i64::from(store.kill_switch().await?));
    Ok(())
}

/// Ready is who has looked after the calls of the run before and can write down what happens next.
fn unready(api: &Api) -> Option<String> {
    match api.house().store().trouble() {
        Some(why) => Some(format!("nothing can be written, so nothing is dialled: {why}")),
        None if !*api.ready.borrow() => Some("not reconciled yet".to_owned()),
        None => None,
    }
}

pub async fn readyz(api: Api) -> Result<&'static str, ApiError> {
    unready(&api).map_or(Ok("ready\n"), |words| Err(ApiError::Unavailable(words)))
}
