use std::{sync::Arc, time::Instant};

use dialdeck::{
    desk::Claimed,
    domain::{
        event::{CallEvent, End, Kind, Reply, Source, Target},
        id::Incarnation,
    },
};

use crate::setup;

const CALLS: u32 = 40_000;
/// Calls in hand at once.
const WORKERS: usize = 128;

pub fn run() {
    setup::runtime().block_on(async {
        for stored in [CALLS, 1_000_000] {
            let bench = Arc::new(setup::Bench::new().await);
            bench.fill(stored, stored - CALLS.min(stored), 0).await;
            let done = one(bench.clone()).await;
            let counts = bench.row().await.counts;
            assert_eq!(counts.busy, i64::from(CALLS), "every call ends busy once");
            println!(
                "{stored:>9} calls stored: {done:.0} calls/s, {WORKERS} in hand, each claimed, armed, answered busy by the stub, recorded   (target 1,000)"
            );
        }
    });
}

/// Calls a second.
async fn one(bench: Arc<setup::Bench>) -> f64 {
    let campaign = Arc::new(bench.row().await);
    let mine = Incarnation::fresh();
    let (give, take) = tokio::sync::mpsc::channel::<Claimed>(WORKERS);
    let take = Arc::new(tokio::sync::Mutex::new(take));
    let started = Instant::now();
    let claimer = {
        let (bench, campaign) = (bench.clone(), campaign.clone());
        tokio::spawn(async move {
            let mut left = CALLS as usize;
            while left > 0 {
                let request = bench.request(campaign.clone(), left.min(50), mine).await;
                let claimed = bench.desk.claim(bench.installation, request).await.unwrap().ready;
                left -= claimed.len();
                for c in claimed {
                    give.send(c).await.unwrap();
                }
            }
        })
    };
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (bench, take) = (bench.clone(), take.clone());
            tokio::spawn(async move {
                loop {
                    let Some(claimed) = take.lock().await.recv().await else { return };
                    let armed = bench.desk.arm(claimed, mine).await.unwrap().unwrap();
                    let reply = Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "Busy Here".into() };
                    let event = CallEvent {
                        key: format!("dial:{}", armed.call()),
                        target: Target::Call(armed.call()),
                        source: Source::Dial,
                        at: bench.desk.now(),
                        raw: serde_json::Value::Null,
                        kind: Kind::Reply(reply),
                    };
                    bench.desk.record(event).await.unwrap();
                }
            })
        })
        .collect();
    claimer.await.unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    f64::from(CALLS) / started.elapsed().as_secs_f64()
}
