use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dialdeck::desk::Desk;

use crate::{quantiles, setup};

const ROWS: u32 = 1_000_000;

pub fn run() {
    setup::runtime().block_on(async {
        let bench = setup::Bench::new().await;
        bench.fill(ROWS, 0, 0).await;
        // What `fill` left unwritten is not this section's.
        std::fs::File::open(bench.store.path()).unwrap().sync_all().unwrap();
        // The contact's own call is in no figure of `fill`.
        bench.desk.check_counts().await.unwrap();
        println!("an urgent write, nothing else to do:       {}", quantiles(urgent_writes(&bench.desk, Duration::from_secs(3), None).await));
        let over = Arc::new(AtomicBool::new(false));
        let (desk, ended) = (bench.desk.clone(), over.clone());
        let others = tokio::spawn(async move { urgent_writes(&desk, Duration::MAX, Some(ended)).await });
        let started = Instant::now();
        let stopped = bench.desk.stop(bench.actor.clone(), bench.campaign, false).await.unwrap();
        let answered = started.elapsed();
        bench.desk.empty_stopped().await.unwrap();
        let emptied = started.elapsed();
        over.store(true, Ordering::Relaxed);
        let times = others.await.unwrap();
        let counts = bench.row().await.counts;
        assert_eq!((counts.pending, counts.canceled), (0, counts.total));
        println!("an urgent write while the stop is going on: {}   (target max 20,000 us)", quantiles(times));
        println!(
            "stop of {} pending rows answered after {:.2} s, the queue is empty after {:.1} s",
            stopped.canceled,
            answered.as_secs_f64(),
            emptied.as_secs_f64()
        );
        let started = Instant::now();
        assert!(bench.desk.check_lines().await.unwrap().is_empty());
        let (lines, started) = (started.elapsed().as_secs_f64(), Instant::now());
        assert!(bench.desk.check_counts().await.unwrap().is_empty());
        let counters = started.elapsed().as_secs_f64();
        println!("books of {ROWS} calls: lines {lines:.3} s before the first claim, counters {counters:.2} s beside it");
    });
}

/// A small write of the calls' lane every two milliseconds, each committed.
async fn urgent_writes(desk: &Desk, length: Duration, over: Option<Arc<AtomicBool>>) -> Vec<Duration> {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < length && !over.as_ref().is_some_and(|o| o.load(Ordering::Relaxed)) {
        let started = Instant::now();
        desk.report_health(String::new()).await.unwrap();
        times.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times
}
