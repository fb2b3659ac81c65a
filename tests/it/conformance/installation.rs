//! What is one fact for every process: settings, keys of requests, engines, owners, figures, and the store itself.

use dialdeck::{
    clock::{Clock, SystemClock},
    domain::{
        call::State,
        id::{AssistantId, Incarnation, OwnerId, SourceId},
        stats::Counts,
    },
    store::{LISTED, Lane, Setting, StoreError},
};

use super::{FOREIGN, House, assistant, sorted};

databases!(
    a_setting_is_one_value_for_all,
    a_key_is_taken_once_and_free_again_in_time,
    the_engine_that_was_seen_last_is_told,
    one_engine_dials_where_hosts_share_a_database,
    owners_are_whoever_has_rows,
    figures_are_sums_over_everybody,
    jobs_answer_after_their_commit_and_are_undone_alone,
    a_commit_rings_the_bell,
    a_server_tells_of_itself,
);

async fn a_setting_is_one_value_for_all(house: House) {
    let h = house.ids;
    let get = async |s| house.store.setting(s).await.unwrap();
    assert!(get(Setting::Terms).await.is_none() && !house.store.kill_switch().await.unwrap());
    let fresh = tx!(house, |tx| (tx.setting_or(Setting::JwtSecret, FOREIGN).await?, tx.setting_or(Setting::JwtSecret, "other").await?));
    assert_eq!(fresh, (FOREIGN.to_owned(), FOREIGN.to_owned()), "set where it is missing");
    tx!(house, |tx| {
        tx.put_setting(Setting::Terms, FOREIGN).await?;
        tx.put_setting(Setting::KillSwitch, "on").await?;
        tx.put_setting(Setting::NationalSize(h.owner, LISTED), "7").await?;
        tx.put_setting(Setting::CampaignNote(h.campaign), "a").await?;
    });
    assert_eq!((get(Setting::Terms).await.as_deref(), house.store.kill_switch().await.unwrap()), (Some(FOREIGN), true));
    assert_eq!((get(Setting::NationalSize(h.owner, LISTED)).await.as_deref(), get(Setting::NationalSize(h.stranger, LISTED)).await), (Some("7"), None));
    tx!(house, |tx| {
        tx.put_setting(Setting::KillSwitch, "").await?;
        tx.put_setting(Setting::Terms, "later").await?;
        tx.clear_notes().await?;
    });
    assert!(!house.store.kill_switch().await.unwrap() && get(Setting::CampaignNote(h.campaign)).await.is_none(), "an empty one is none");
    let seen = tx!(house, |tx| (tx.setting(Setting::Terms).await?, tx.setting(Setting::KillSwitch).await?, tx.setting(Setting::Probe).await?));
    assert_eq!(seen, (Some("later".to_owned()), None, None));
}

async fn a_key_is_taken_once_and_free_again_in_time(house: House) {
    let h = house.ids;
    // Free again after 10 minutes where it was never settled, after a day where it was.
    let take = async |owner, request: &'static str, at| {
        tx!(house, |tx| tx.take_key(owner, FOREIGN, request, h.after(at), h.after(at - 600), h.after(at - 86_400)).await?)
    };
    let kept = async |owner, key: &'static str| tx!(house, |tx| tx.kept_reply(owner, key).await?);
    assert!(take(h.owner, "a", 0).await && !take(h.owner, "a", 600).await && take(h.stranger, "x", 0).await);
    assert_eq!(kept(h.owner, FOREIGN).await, Some(("a".into(), 0, String::new(), String::new())));
    assert!(take(h.owner, "b", 601).await);
    tx!(house, |tx| tx.settle_key(h.owner, FOREIGN, Some((201, FOREIGN, "/x"))).await?);
    assert_eq!(kept(h.owner, FOREIGN).await, Some(("b".into(), 201, FOREIGN.into(), "/x".into())));
    assert!(!take(h.owner, "c", 601 + 86_400).await && take(h.owner, "c", 602 + 86_400).await);
    assert_eq!(kept(h.owner, FOREIGN).await.map(|k| (k.0, k.1, k.2)), Some(("c".into(), 0, String::new())));
    tx!(house, |tx| tx.settle_key(h.owner, FOREIGN, None).await?);
    assert_eq!((kept(h.owner, FOREIGN).await, kept(h.stranger, FOREIGN).await.map(|k| k.0), kept(h.owner, "").await), (None, Some("x".into()), None), "freed");
}

async fn the_engine_that_was_seen_last_is_told(house: House) {
    let h = house.ids;
    let (a, b) = (Incarnation::fresh(), Incarnation::fresh());
    assert!(house.store.engine().await.unwrap().is_none());
    let beat = async |by, host: &'static str, at| tx!(house, |tx| tx.put_engine(by, host, i64::from(u32::MAX), h.after(at)).await?);
    beat(a, FOREIGN, 1).await;
    beat(b, "other", 2).await;
    beat(a, "renamed", 3).await;
    let e = house.store.engine().await.unwrap().unwrap();
    assert_eq!((e.incarnation, e.host.as_str(), e.pid, e.started_at, e.heartbeat_at), (a, FOREIGN, i64::from(u32::MAX), h.after(1), h.after(3)));
    tx!(house, |tx| tx.stop_engine(a, h.after(4)).await?);
    assert_eq!(house.store.engine().await.unwrap().unwrap().incarnation, b);
    beat(a, "", 9).await;
    tx!(house, |tx| tx.remove_engines(h.after(3), Some(b)).await?);
    assert_eq!(house.store.engine().await.unwrap().unwrap().incarnation, b, "the one that leads stays");
    tx!(house, |tx| tx.remove_engines(h.after(3), None).await?);
    assert!(house.store.engine().await.unwrap().is_none());
}

async fn one_engine_dials_where_hosts_share_a_database(house: House) {
    let (a, b) = (Incarnation::fresh(), Incarnation::fresh());
    let take = async |by, host: &'static str, seconds| tx!(house, |tx| tx.take_lease(by, host, seconds).await?);
    let lease = async || house.store.lease().await.unwrap();
    assert!(lease().await.is_none() && take(a, FOREIGN, 600.0).await);
    if !house.store.is_shared() {
        assert!(take(b, "", 600.0).await && lease().await.is_none(), "one file is one host's: the lock beside it decides");
        tx!(house, |tx| tx.give_lease_back(a).await?);
        return;
    }
    assert!(!take(b, "other", 600.0).await && take(a, FOREIGN, 900.0).await, "renewed by whoever has it");
    let held = lease().await.unwrap();
    assert_eq!((held.incarnation, held.host.as_str(), held.left > 600.0), (a, FOREIGN, true));
    tx!(house, |tx| tx.give_lease_back(b).await?);
    assert!(!take(b, "other", 600.0).await, "not theirs to give");
    tx!(house, |tx| tx.give_lease_back(a).await?);
    assert!(lease().await.unwrap().left <= 0.0 && take(b, "other", 0.0).await && take(a, FOREIGN, 600.0).await, "taken when it has run out");
}

async fn owners_are_whoever_has_rows(house: House) {
    let h = house.ids;
    assert_eq!(house.store.owner_ids().await.unwrap(), [h.owner]);
    let others = [0; 4].map(|_| OwnerId(uuid::Uuid::new_v4()));
    tx!(house, |tx| {
        tx.insert_assistant(&assistant(AssistantId::fresh(), others[0], "x", h.now)).await?;
        tx.insert_list(SourceId::fresh(), others[1], "x", "completed", h.now).await?;
        tx.insert_csv_file(SourceId::fresh(), others[2], "x", 0, h.now).await?;
        tx.add_do_not_call(others[3], "+1555", "", "test", "", h.now).await?;
    });
    assert_eq!(house.store.owner_ids().await.unwrap(), sorted(others.into_iter().chain([h.owner])), "in order");
}

async fn figures_are_sums_over_everybody(house: House) {
    let h = house.ids;
    let f = house.store.figures().await.unwrap();
    assert_eq!((f.counts, f.queued, f.open.len(), f.abandoned, f.heartbeat), (Counts::default(), 0, 0, 0, None));
    assert_eq!((f.campaigns, f.lines.len()), (vec![("idle".to_owned(), 1)], 1));
    let other = house.campaign(|_| {}).await;
    house.start(other).await;
    tx!(house, |tx| {
        tx.add_counts(h.campaign, &Counts { pending: 5, busy: 2, ..Counts::default() }).await?;
        tx.add_counts(other, &Counts { pending: 7, busy: 3, ..Counts::default() }).await?;
        tx.put_engine(h.mine, "host", 1, h.after(5)).await?;
    });
    house.dial(|_| {}).await;
    let claimed = house.queue(|_| {}).await;
    house.claim(&claimed).await;
    let silent = house.talked(90, |_| {}).await;
    assert!(tx!(house, |tx| tx.set_abandoned(silent.id, State::Completed, h.now).await?));
    let f = house.store.figures().await.unwrap();
    assert_eq!((f.counts.busy, f.counts.pending, f.counts.dials, f.queued), (5, 12, 2, 7), "of running campaigns");
    assert_eq!(sorted(f.campaigns), [("idle".to_owned(), 1), ("running".to_owned(), 1)]);
    assert_eq!((f.lines[0].livekit_id.as_str(), f.lines[0].live, f.lines[0].max_live), ("ST_1", 2, 50));
    assert_eq!(f.open.iter().filter(|(s, n)| [State::Claimed, State::Armed].contains(s) && *n == 1).count(), 2);
    assert_eq!((f.open.len(), f.abandoned, f.heartbeat), (2, 1, Some(h.after(5))));
    let waiting = house.store.waiting();
    assert_eq!((waiting.urgent, waiting.bulk), (0, 0));
}

async fn jobs_answer_after_their_commit_and_are_undone_alone(house: House) {
    let h = house.ids;
    let job = |busy: i64, fails: bool| {
        house.store.write(if busy % 2 == 0 { Lane::Urgent } else { Lane::Bulk }, move |tx| {
            Box::pin(async move {
                tx.add_counts(h.campaign, &Counts { busy, ..Counts::default() }).await?;
                if fails { Err(StoreError::Closed) } else { Ok(busy) }
            })
        })
    };
    let jobs = (1..=40).map(|i| job(i, i % 5 == 0));
    let done = futures_util::future::join_all(jobs).await;
    let kept: i64 = done.iter().flatten().sum();
    assert_eq!((done.iter().filter(|d| d.is_err()).count(), kept), (8, (1..=40).filter(|i| i % 5 != 0).sum()));
    let busy = async || house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap().counts.busy;
    assert_eq!(busy().await, kept);
    // A statement that the database refuses undoes the job it is of, and no other.
    let twice = async |name: &'static str| {
        try_tx!(house, |tx| {
            tx.add_counts(h.campaign, &Counts { busy: 1000, ..Counts::default() }).await?;
            tx.insert_assistant(&assistant(h.assistant, h.owner, name, h.now)).await?;
        })
    };
    let (bad, good, worse) = tokio::join!(twice("a"), job(2, false), twice("b"));
    assert!(matches!((bad, worse), (Err(StoreError::Unique), Err(StoreError::Unique))) && good.is_ok());
    assert_eq!((busy().await, house.store.trouble()), (kept + 2, None));
    // A job that breaks down is undone alone.
    let broken = house
        .store
        .write(Lane::Urgent, move |tx| {
            Box::pin(async move {
                tx.add_counts(h.campaign, &Counts { busy: 1000, ..Counts::default() }).await?;
                assert!(h.now.timestamp() < 0, "a test's own panic");
                Ok::<_, StoreError>(())
            })
        })
        .await;
    assert!(matches!(broken, Err(StoreError::Broken)), "{broken:?}");
    assert_eq!(busy().await, kept + 2);
}

async fn a_commit_rings_the_bell(house: House) {
    let mut bell = house.store.bell();
    let heard = *bell.borrow_and_update();
    tx!(house, |tx| tx.put_setting(Setting::Probe, "1").await?);
    assert!(*bell.borrow_and_update() > heard);
    let mut seen = 0;
    house.store.watch_others(&mut seen).await.unwrap();
    let heard = *bell.borrow_and_update();
    house.store.watch_others(&mut seen).await.unwrap();
    assert_eq!(*bell.borrow_and_update(), heard, "nobody else has written");
    assert!(!house.store.version().await.unwrap().is_empty() && !house.store.path().is_empty());
    assert_eq!(house.store.trouble(), None);
    // A file is of this host, and no way off; a server is neither.
    assert_eq!((house.store.is_shared(), house.store.round_trip().is_some()), (!house.store.path().ends_with("t.db"), !house.store.path().ends_with("t.db")));
}

/// How far it is, what its clock says, how many connections it has, and that it has not gone back in time. A file is none.
async fn a_server_tells_of_itself(house: House) {
    let store = &house.store;
    let (look, connections) = (store.look_at_server().await.unwrap(), store.connections().await.unwrap());
    assert_eq!((look.is_some(), connections.is_some(), store.lineage().is_some()), (store.is_shared(), store.is_shared(), store.is_shared()));
    if let (Some(look), Some(connections)) = (look, connections) {
        assert!(look.writers >= 1 && (SystemClock::new().now() - look.time).num_seconds().abs() < 60, "{look:?}");
        assert!(connections.ours >= 1 && connections.used >= connections.ours && connections.most > connections.used, "{connections:?}");
    }
    assert!(!tx!(house, |tx| tx.went_back()));
    assert_eq!(store.went_back(), None);
    store.break_is_told(1);
    assert_eq!(store.went_back(), None, "what did not happen is not told");
}
