//! A copy that took over from the server, a database 20 ms away, and a LiveKit that is cut off while the database is well.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use dialdeck::{
    domain::call::State,
    store::{CallFilter, Setting, Store},
};
use sqlx::{Connection, PgConnection};

use crate::{
    crash::{Rig, program},
    pghost::{Host, rig, until, words_of},
    support::{
        postgres::{Cluster, database},
        proxy::Proxy,
    },
};

/// A connection, once the server answers.
async fn connected(url: &str) -> PgConnection {
    loop {
        match PgConnection::connect(url).await {
            Ok(line) => return line,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Waits until the copy has everything that was written.
async fn caught_up(first: &mut PgConnection, copy: &mut PgConnection) {
    let written: String = sqlx::query_scalar("SELECT pg_current_wal_lsn()::text").fetch_one(first).await.unwrap();
    let has = "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)";
    until("the copy has everything", async || sqlx::query_scalar(has).bind(&written).fetch_one(&mut *copy).await.unwrap()).await;
}

/// A copy takes over under a host that dials: it is held until an operator says go, and nobody is rung twice. Those whom
/// the copy does not know.
async fn taken_over(lags: bool) -> Option<usize> {
    let first = tokio::task::spawn_blocking(Cluster::own).await.unwrap()?;
    let url = first.database("deck").await;
    let mut rig = rig(&url, 60, 100, 200).await;
    let (first, copy) = tokio::task::spawn_blocking(move || (first.standby(), first)).await.map(|(copy, first)| (first, copy)).unwrap();
    let (mut before, mut after) = (connected(&url).await, connected(&copy.url("deck")).await);
    caught_up(&mut before, &mut after).await;
    if lags {
        for sql in ["ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"] {
            sqlx::raw_sql(sql).execute(&mut after).await.unwrap();
        }
        let apart = "SELECT count(*) = 0 FROM pg_stat_wal_receiver";
        until("the copy is left behind", async || sqlx::query_scalar(apart).fetch_one(&mut after).await.unwrap()).await;
    }
    let way = Proxy::by(&url).await;
    let host = Host::start(&rig, &way.url);
    until("it dials", async || rig.rings().1 >= 15).await;

    way.gone();
    // What was on its way to LiveKit arrives there.
    tokio::time::sleep(Duration::from_millis(500)).await;
    if !lags {
        caught_up(&mut before, &mut after).await;
    }
    assert!(sqlx::query_scalar::<_, bool>("SELECT pg_promote()").fetch_one(&mut after).await.unwrap());
    rig.store = Store::open(&copy.url("deck")).await.unwrap();
    let rung = rig.simulator.invites().len();
    way.leads_to(&copy.url("deck"));
    way.near();
    until("dialling is held", async || rig.store.kill_switch().await.unwrap()).await;
    let why = words_of(&host.run(&["campaign", "why", "Crash"]));
    assert!(why.contains("may have gone back in time") && why.contains("stop-all --release"), "{why}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.simulator.invites().len(), rung, "nobody was dialled");

    let go = host.run(&["stop-all", "--release"]);
    assert!(go.status.success(), "{}", words_of(&go));
    rig.until_done().await;
    drop(host);
    rig.assert_nothing_is_wrong("a copy took over").await;
    drop(first);
    let calls = rig.store.calls(rig.campaign, &CallFilter::default(), 1000, 0).await.unwrap().rows;
    Some(calls.iter().filter(|c| c.state == State::Canceled && c.reason.contains("called after the backup")).count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_copy_that_lagged_and_took_over_is_held_and_told_whom_it_forgot() {
    let Some(forgotten) = taken_over(true).await else { return };
    assert!(forgotten > 0, "those that the copy did not know are off the queue");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_copy_that_has_everything_is_held_as_well_and_has_forgotten_nobody() {
    let Some(forgotten) = taken_over(false).await else { return };
    assert_eq!(forgotten, 0);
}

/// A program that goes with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// P13: alone it dials from 20 ms away; beside another writer it is held in words, and goes on when that one is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_20_ms_from_its_database_dials_alone_and_is_held_beside_another() {
    let Some(db) = database().await else { return };
    let way = Proxy::new(&db).await;
    way.far(Duration::from_millis(20));
    let Rig { base, address, simulator, config, store, .. } = rig(&db.url, 300, 100, 300).await;
    drop(store);
    let _host = Running(program(base.dir.path(), &address, &way.url, &simulator, &config).stdin(Stdio::null()).spawn().unwrap());
    until("it dials", async || simulator.invites().len() >= 10).await;

    let other = Store::open(&db.url).await.unwrap();
    let health = async || other.setting(Setting::EngineHealth).await.unwrap().unwrap_or_default();
    until("it is said", async || health().await.contains("ms away")).await;
    assert!(health().await.contains("max_round_trip_ms"), "with the way out: {}", health().await);
    // What was armed before is on its way; then nothing.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let then = simulator.invites().len();
    assert!(then < 300, "some are left to be dialled");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(simulator.invites().len(), then, "dialled from too far beside another writer");

    drop(other);
    until("it goes on by itself", async || simulator.invites().len() > then + 3).await;
    let mut numbers: Vec<String> = simulator.invites().into_iter().map(|i| i.number).collect();
    let all = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "rung twice");
}

/// P1: LiveKit is cut off in the middle of calls, both ways, while the database is well; healed, what became of them is
/// looked up, and nobody is rung twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_a_livekit_that_is_cut_off_while_the_database_is_well_rings_nobody_twice() {
    let Some(db) = database().await else { return };
    let rig = rig(&db.url, 90, 100, 300).await;
    let livekit = Proxy::before(rig.simulator.url().trim_start_matches("http://")).await;
    let mut command = rig.command(None);
    let _host = Running(command.env("LIVEKIT_HOST", format!("http://{}", livekit.url)).stdin(Stdio::null()).spawn().unwrap());
    let webhook = Some(format!("http://{}/api/v1/livekit/webhook", rig.address));
    until("it dials", async || rig.rings().1 >= 10).await;

    livekit.gone();
    rig.simulator.set_webhook_url(None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let then = rig.simulator.invites().len();
    assert!(then < 90, "some are left to be dialled");
    rig.simulator.set_webhook_url(webhook);
    livekit.near();
    until("it goes on", async || rig.simulator.invites().len() > then + 3).await;
    rig.until_done().await;
    rig.assert_nothing_is_wrong("cut off from LiveKit").await;
}
