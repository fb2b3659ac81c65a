use std::{sync::Arc, time::Instant};

use dialdeck::domain::id::Incarnation;

use crate::{quantiles, setup};

/// Claims of one call each, one after the other, each committed.
const CLAIMS: usize = 450;

pub fn run() {
    setup::runtime().block_on(async {
        for n in [1_000, 10_000, 100_000, 1_000_000] {
            let bench = setup::Bench::new().await;
            bench.fill(n, n / 2, 0).await;
            let campaign = Arc::new(bench.row().await);
            let mine = Incarnation::fresh();
            let mut times = Vec::with_capacity(CLAIMS);
            for _ in 0..CLAIMS {
                let started = Instant::now();
                let claimed = bench.desk.claim(bench.installation, bench.request(campaign.clone(), 1, mine).await).await.unwrap().ready;
                times.push(started.elapsed());
                assert_eq!(claimed.len(), 1);
            }
            println!("{n:>9} calls: {}   (target p99 1,000 us, flat)", quantiles(times));
        }
    });
}
