//! From `s` to the first dial that is armed, by the number of contacts.

use std::{sync::Arc, time::Instant};

use dialdeck::domain::id::Incarnation;

use crate::{quantiles, setup};

const STARTS: usize = 20;

pub fn run() {
    setup::runtime().block_on(async {
        for n in [1_000, 1_000_000] {
            let bench = setup::Bench::idle(n).await;
            let (mut dialled, mut told) = (Vec::new(), Vec::new());
            for _ in 0..STARTS {
                let id = bench.another().await;
                let mine = Incarnation::fresh();
                let started = Instant::now();
                bench.desk.start(bench.actor.clone(), id).await.unwrap();
                let campaign = Arc::new(bench.store.campaign(bench.actor.owner, id).await.unwrap().unwrap());
                // Those before have the first contacts on the line: they are turned away.
                let request = bench.request(campaign, STARTS + 1, mine).await;
                let claimed = bench.desk.claim(bench.installation, request).await.unwrap().ready.swap_remove(0);
                bench.desk.arm(claimed, mine).await.unwrap().expect("armed");
                dialled.push(started.elapsed());
                let row = bench.store.campaign(bench.actor.owner, id).await.unwrap().unwrap();
                let asked = Instant::now();
                bench.desk.preflight(&row).await.unwrap();
                told.push(asked.elapsed());
            }
            println!("{n:>9} contacts, start to first arm: {}   (target 1 s)", quantiles(dialled));
            println!("{n:>9} contacts, the preflight told: {}", quantiles(told));
        }
    });
}
