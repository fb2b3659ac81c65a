//! Campaigns run to their end against the simulator; what rang is counted from its log.

use std::{collections::HashMap, time::Duration};

use crate::support::{Options, World, assert_counts_equal_rows, csv_of};

fn per_number(world: &World) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for invite in world.simulator.invites().into_iter().filter(|i| i.reached_phone) {
        *counts.entry(invite.number).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_contact_is_dialled_exactly_once_by_polling_alone() {
    let mut world = World::new(Options::default()).await;
    let (source, report) = world.import(csv_of(100)).await;
    assert_eq!(report.imported, 100);
    let id = world.campaign(source, |_| {}).await;
    world.start_engine();
    world.desk.start(world.actor.clone(), id).await.unwrap();
    world.until_completed(id, Duration::from_secs(60)).await;
    let dialled = per_number(&world);
    assert_eq!(dialled.len(), 100);
    assert!(dialled.values().all(|n| *n == 1), "{dialled:?}");
    assert_counts_equal_rows(&world, id).await;
    let row = world.row(id).await;
    println!("{:?}", row.counts);
    assert_eq!(row.counts.dials, 100);
    assert_eq!(row.counts.processing, 0);
    for c in world.calls(id).await {
        println!("{} {:?} {:?} {} sip {:?} sug {:?}", c.phone_number, c.state, c.basis, c.reason, c.sip_code, c.suggestion);
    }
}
