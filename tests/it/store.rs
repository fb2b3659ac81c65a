//! What every database must do alike: the compare-and-sets and constraints that safety stands on,
//! through the store's own methods. A further database joins by one line in `databases`.

use chrono::{DateTime, Duration, Utc};
use dialdeck::{
    desk::DeskError,
    domain::{
        call::{Basis, State},
        campaign::{ContactSource, Settings, Status},
        event::{CallEvent, Doubt, Kind, Leave, LegStatus, Source, Target},
        id::{AssistantId, CallId, CampaignId, ContactId, Incarnation, OwnerId, SourceId, TrunkId},
        outcome::{Outcome, Who},
        stats::Counts,
    },
    store::{Armed, AssistantRow, CallRow, CallUpdate, Kept, Lane, NewCall, NewCampaign, NewEvent, Store, StoreError, Sums, TrunkRow},
};

use sqlx::Connection;

use crate::support::settings;

/// One write transaction; `$tx` is the open transaction, the last expression its `Result`.
macro_rules! write {
    ($store:expr, |$tx:ident| $body:expr) => {
        $store.write(Lane::Urgent, move |$tx| Box::pin(async move { Ok::<_, StoreError>($body) })).await.unwrap()
    };
}

/// A fresh database of every kind there is.
async fn databases() -> Vec<(tempfile::TempDir, Store)> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", dir.path().join("t.db").display())).await.unwrap();
    vec![(dir, store)]
}

struct Rows {
    store: Store,
    owner: OwnerId,
    campaign: CampaignId,
    trunk: TrunkId,
    now: DateTime<Utc>,
}

impl Rows {
    async fn new(store: Store) -> Self {
        let now: DateTime<Utc> = "2026-11-18T17:00:00Z".parse().unwrap();
        let (owner, campaign, trunk) = (OwnerId(uuid::Uuid::new_v4()), CampaignId::fresh(), TrunkId::fresh());
        let (assistant, source) = (AssistantId::fresh(), SourceId::fresh());
        write!(store, |tx| {
            let row = AssistantRow {
                id: assistant,
                user_id: owner,
                name: "Sarah".into(),
                agent_name: None,
                prompt: "Hello".into(),
                language: "en".into(),
                created_at: now,
            };
            tx.insert_assistant(&row).await?;
            tx.insert_csv_file(source, owner, "leads.csv", 0, now).await?;
            let draft = NewCampaign {
                id: campaign,
                owner,
                name: "Q4".into(),
                assistant,
                source: ContactSource::CsvFile,
                source_id: Some(source),
                prompt: String::new(),
                agent_name: None,
                settings: Settings { daily_cap: 2, ..settings() },
            };
            tx.insert_campaign(&draft, now).await?;
            let row = TrunkRow {
                id: trunk,
                user_id: owner,
                livekit_id: "ST_1".into(),
                name: "main".into(),
                address: "trunk.example".into(),
                numbers: sqlx::types::Json(vec!["+15550009999".into()]),
                countries: sqlx::types::Json(vec!["US".into()]),
                live: 0,
                max_live: 2,
            };
            tx.put_trunk(&row, now).await?;
        });
        Self { store, owner, campaign, trunk, now }
    }

    async fn queue(&self, number: &str, position: i64, due: DateTime<Utc>) -> CallId {
        self.queue_with(number, position, due, 0).await
    }

    async fn queue_with(&self, number: &str, position: i64, due: DateTime<Utc>, priority: i64) -> CallId {
        let call = NewCall {
            id: CallId::fresh(),
            contact_id: Some(ContactId::fresh()),
            phone_number: number.into(),
            contact_name: "Ana".into(),
            contact_email: String::new(),
            country: "US".into(),
            zones: "America/New_York".into(),
            position,
            attempt: 1,
            dialable_at: due,
            priority,
        };
        let (id, owner, campaign, now) = (call.id, self.owner, self.campaign, self.now);
        write!(self.store, |tx| tx.insert_calls(owner, campaign, &[call], now).await?);
        id
    }

    async fn claim(&self, limit: usize, mine: Incarnation, at: DateTime<Utc>) -> Vec<CallRow> {
        let campaign = self.campaign;
        write!(self.store, |tx| tx.claim(campaign, "America/New_York", limit, mine, Duration::seconds(30), at).await?)
    }

    async fn arm(&self, row: &CallRow, mine: Incarnation) -> Result<bool, StoreError> {
        self.arm_within(row, mine, 2, 2).await
    }

    /// With so many dials of the day and lines of the trunk; what was not armed leaves nothing.
    async fn arm_within(&self, row: &CallRow, mine: Incarnation, cap: i64, lines: i64) -> Result<bool, StoreError> {
        let armed = Armed {
            call: row.id,
            claim_number: row.claim_number,
            incarnation: mine,
            campaign: self.campaign,
            at: self.now,
            deadline: self.now + Duration::seconds(50),
            next: None,
            day: self.now.date_naive(),
            cap,
            trunk: self.trunk,
            lines,
            tokens: 0.5,
            number: row.phone_number.clone(),
            room: format!("dd-{}", row.id),
            caller_id: "+15550009999".into(),
            script: "Hello".into(),
            ring_timeout_s: 30,
            max_call_duration_s: 900,
        };
        let job =
            self.store.write(Lane::Urgent, move |tx| Box::pin(async move { if tx.arm(&armed).await? { Ok(()) } else { Err(DeskError::NotFound("room")) } }));
        match job.await {
            Ok(()) => Ok(true),
            Err(DeskError::Store(e)) => Err(e),
            Err(_) => Ok(false),
        }
    }

    /// Used of the day, lines of the trunk, live and dials of the campaign.
    async fn taken(&self) -> (i64, i64, i64, i64) {
        let used = self.store.campaign_day(self.campaign, self.now.date_naive()).await.unwrap().map_or(0, |d| d.used);
        let counts = self.store.campaign(self.owner, self.campaign).await.unwrap().unwrap().counts;
        (used, self.store.trunks().await.unwrap()[0].live, counts.live, counts.dials)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_are_in_order_leased_once_and_released_by_their_holder_alone() {
    for (_dir, store) in databases().await {
        let rows = Rows::new(store).await;
        let (first, second) = (Incarnation::fresh(), Incarnation::fresh());
        let late = rows.queue("+12025550101", 1, rows.now + Duration::hours(1)).await;
        let b = rows.queue("+12025550102", 3, rows.now).await;
        let a = rows.queue("+12025550103", 2, rows.now).await;
        let claimed = rows.claim(1, first, rows.now).await;
        assert_eq!((claimed.len(), claimed[0].id, claimed[0].claim_number), (1, a, 1), "the head of the queue");
        let others: Vec<CallId> = rows.claim(10, second, rows.now).await.iter().map(|r| r.id).collect();
        assert_eq!(others, [b], "what is claimed is not claimed again, what is not due is not claimed");
        let now = rows.now;
        let release = |claim: i64| {
            let store = rows.store.clone();
            async move { write!(store, |tx| tx.release(a, claim, now, "test", now).await?) }
        };
        assert!(!release(7).await, "another claim's release does nothing");
        assert!(release(1).await && !release(1).await, "released once");
        let again = rows.claim(10, second, rows.now + Duration::hours(2)).await;
        assert_eq!(again.iter().map(|r| (r.id, r.claim_number)).collect::<Vec<_>>(), [(a, 2), (late, 1)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_promised_to_a_contact_goes_first_once_it_is_due() {
    for (_dir, store) in databases().await {
        let rows = Rows::new(store).await;
        let mine = Incarnation::fresh();
        let usual = rows.queue("+12025550101", 1, rows.now - Duration::hours(3)).await;
        let promised = rows.queue_with("+12025550102", 2, rows.now - Duration::minutes(1), 1).await;
        rows.queue_with("+12025550103", 3, rows.now + Duration::hours(1), 1).await;
        let heads = rows.store.zone_heads(rows.campaign).await.unwrap();
        assert_eq!((heads.len(), heads[0].due), (1, rows.now - Duration::hours(3)));
        let order: Vec<CallId> = [rows.claim(1, mine, rows.now).await, rows.claim(9, mine, rows.now).await].concat().iter().map(|r| r.id).collect();
        assert_eq!(order, [promised, usual], "and what is not yet due does not go at all");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_arming_is_for_the_claims_holder_and_one_call_a_number() {
    for (_dir, store) in databases().await {
        let rows = Rows::new(store).await;
        let (mine, theirs) = (Incarnation::fresh(), Incarnation::fresh());
        rows.queue("+12025550101", 1, rows.now).await;
        rows.queue("+12025550101", 2, rows.now).await;
        let claimed = rows.claim(2, mine, rows.now).await;
        assert!(!rows.arm(&claimed[0], theirs).await.unwrap(), "another engine's claim");
        let stale = CallRow { claim_number: 0, ..claimed[0].clone() };
        assert!(!rows.arm(&stale, mine).await.unwrap(), "an earlier claim");
        assert!(rows.arm(&claimed[0], mine).await.unwrap());
        assert!(!rows.arm(&claimed[0], mine).await.unwrap(), "armed once");
        assert!(rows.arm(&claimed[1], mine).await.is_err(), "the same number is live: the database itself refuses");
        // The same by the numbers' own table, which several owners share.
        let (a, b, now) = (claimed[0].id, claimed[1].id, rows.now);
        assert!(write!(rows.store, |tx| tx.take_number("+12025550101", a, now).await?));
        assert!(!write!(rows.store, |tx| tx.take_number("+12025550101", b, now).await?));
        let held = now + Duration::minutes(10);
        write!(rows.store, |tx| tx.free_numbers(&[("+12025550101".into(), a, Some(held))]).await?);
        assert!(!write!(rows.store, |tx| tx.take_number("+12025550101", b, now).await?), "held until its end is proven");
        assert!(write!(rows.store, |tx| tx.take_number("+12025550101", b, held + Duration::seconds(1)).await?));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_the_cap_and_the_lines_hold_and_a_failed_job_leaves_nothing() {
    for (_dir, store) in databases().await {
        let rows = Rows::new(store).await;
        let (campaign, trunk, mine) = (rows.campaign, rows.trunk, Incarnation::fresh());
        for i in 0..7 {
            rows.queue(&format!("+1202555010{i}"), i, rows.now).await;
        }
        let claimed = rows.claim(7, mine, rows.now).await;
        // A call takes all it needs or nothing: cap of the day, then lines of the trunk.
        let armed = futures_util::future::join_all(claimed[..5].iter().map(|row| rows.arm_within(row, mine, 1, 2))).await;
        assert_eq!((armed.iter().filter(|a| *a.as_ref().unwrap()).count(), rows.taken().await), (1, (1, 1, 1, 1)), "one of five at once");
        let armed = futures_util::future::join_all(claimed[..6].iter().map(|row| rows.arm_within(row, mine, 9, 2))).await;
        assert_eq!((armed.iter().filter(|a| *a.as_ref().unwrap()).count(), rows.taken().await), (1, (2, 2, 2, 2)), "and one more line");
        write!(rows.store, |tx| tx.move_trunk_lines(trunk, -1).await?);
        assert!(rows.arm_within(&claimed[6], mine, 9, 2).await.unwrap());
        assert_eq!(rows.taken().await, (3, 2, 3, 3));
        // Jobs of one batch: the one that fails is undone alone.
        let good = rows.store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.add_counts(campaign, &Counts { total: 1, ..Counts::default() }).await }));
        let bad = rows.store.write(Lane::Urgent, move |tx| {
            Box::pin(async move {
                tx.add_counts(campaign, &Counts { total: 100, ..Counts::default() }).await?;
                Err::<(), _>(DeskError::NotFound("test"))
            })
        });
        let (good, bad) = tokio::join!(good, bad);
        assert!(good.is_ok() && bad.is_err());
        assert_eq!(rows.store.campaign(rows.owner, campaign).await.unwrap().unwrap().counts.total, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_an_event_is_stored_once_and_states_move_by_compare_and_set() {
    for (_dir, store) in databases().await {
        let rows = Rows::new(store).await;
        let call = rows.queue("+12025550101", 1, rows.now).await;
        let now = rows.now;
        let event = CallEvent {
            key: "livekit:EV_1".into(),
            target: Target::Call(call),
            source: Source::Livekit,
            at: now,
            kind: Kind::Other { what: "test".into() },
            raw: serde_json::json!({ "a": "\u{0}'\"" }),
        };
        let keep = |event: CallEvent, call: Option<CallId>| {
            let kept = rows.store.write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let events = [NewEvent { event: &event, call, moved: None }];
                    tx.keep(&Kept { events: &events, calls: &[], sums: &Sums::default(), freed: &[] }, now).await
                })
            });
            async { kept.await.map_err(|e: StoreError| e.to_string()) }
        };
        assert_eq!(keep(event.clone(), Some(call)).await, Ok(()));
        let again = keep(event.clone(), None).await.unwrap_err();
        assert!(again.contains("stored one of these events"), "{again}");
        assert_eq!(write!(rows.store, |tx| tx.calls_named(&[], &[], &["livekit:EV_1", "livekit:EV_2"]).await?).1, ["livekit:EV_1"]);
        assert_eq!(rows.store.timeline(call).await.unwrap().len(), 1);
        let campaign = rows.campaign;
        let start = || async { write!(rows.store, |tx| tx.move_campaign(campaign, Status::Idle, Status::Running, "", "test", now).await?) };
        let before = rows.store.campaign(rows.owner, campaign).await.unwrap().unwrap().generation;
        assert!(start().await && !start().await, "moved once");
        assert_eq!(rows.store.campaign(rows.owner, campaign).await.unwrap().unwrap().generation, before + 1);
        let stranger = OwnerId(uuid::Uuid::new_v4());
        assert!(rows.store.campaign(stranger, campaign).await.unwrap().is_none() && rows.store.call(stranger, call).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_taken_once_and_free_again_in_time() {
    for (_dir, store) in databases().await {
        let rows = Rows::new(store).await;
        let (owner, now) = (rows.owner, rows.now);
        let take = |request: &'static str, at: DateTime<Utc>| {
            let store = rows.store.clone();
            async move { write!(store, |tx| tx.take_key(owner, "k", request, at, at - Duration::minutes(10), at - Duration::hours(24)).await?) }
        };
        assert!(take("a", now).await && !take("a", now + Duration::minutes(9)).await);
        assert!(take("b", now + Duration::minutes(11)).await, "its first request never answered");
        write!(rows.store, |tx| tx.settle_key(owner, "k", Some((200, "{}", "/x"))).await?);
        assert!(!take("b", now + Duration::hours(23)).await);
        assert_eq!(write!(rows.store, |tx| tx.kept_reply(owner, "k").await?), Some(("b".into(), 200, "{}".into(), "/x".into())));
        assert!(take("c", now + Duration::hours(25)).await);
    }
}

/// Every column that moves, with values that a text between could spoil.
fn moved(was: &CallRow, at: DateTime<Utc>) -> CallRow {
    CallRow {
        state: State::Completed,
        reply_pending: false,
        participant_sid: Some("PA_\"1\"".into()),
        sip_call_id: Some("SCL_1".into()),
        call_sid: Some("CA1".into()),
        leg_seen: true,
        ringing_seen: true,
        rejoined: true,
        left_at: Some(at),
        left_reason: Some(sqlx::types::Json(Leave::RoomDeleted)),
        left_status: Some(sqlx::types::Json(LegStatus::Active)),
        ringing_at: Some(at),
        answered_at: Some(at + Duration::microseconds(1)),
        completed_at: Some(at + Duration::nanoseconds(7)),
        call_duration: 42,
        basis: Some(Basis::Carrier),
        sip_code: Some(486),
        reason: "„besetzt“\nline 2".into(),
        charged: false,
        outcome: Some(Outcome::Callback),
        outcome_who: Some(Who::Operator),
        outcome_by: Some("Zoë".into()),
        outcome_at: Some(at),
        suggestion: Some(Outcome::Interested),
        suggestion_confidence: Some(0.25),
        notes: "[1, {}]".into(),
        lease_until: None,
        doubt: Some(Doubt::Network),
        ..was.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_read_and_written_as_a_set_each_with_what_has_moved_of_it() {
    for (dir, store) in databases().await {
        let rows = Rows::new(store).await;
        let mine = Incarnation::fresh();
        for i in 0..3 {
            rows.queue(&format!("+1202555010{i}"), i, rows.now).await;
        }
        let claimed = rows.claim(3, mine, rows.now).await;
        let ids: Vec<CallId> = claimed.iter().map(|r| r.id).collect();
        assert!(rows.arm(&claimed[0], mine).await.unwrap() && rows.arm(&claimed[1], mine).await.unwrap());
        // One ends with all that can change, one rings, one is only noted upon.
        let (named, later) = (ids.clone(), rows.now + Duration::seconds(9));
        let at = rows.now;
        let (were, _) = write!(rows.store, |tx| tx.calls_named(&named, &[], &[]).await?);
        let of = |id: CallId| were.iter().find(|r| r.id == id).unwrap().clone();
        let [ends, rings, noted] = [of(ids[0]), of(ids[1]), of(ids[2])];
        let are =
            [moved(&ends, at), CallRow { state: State::Ringing, ringing_seen: true, ..rings.clone() }, CallRow { notes: "later".into(), ..noted.clone() }];
        let to = are.clone();
        let read = [ends.clone(), noted.clone()];
        write!(rows.store, |tx| {
            let updates: Vec<_> = [&ends, &rings, &noted].into_iter().zip(&to).map(|(was, row)| CallUpdate { was, row }).collect();
            tx.update_calls(&updates, later).await?;
        });
        // Read by its id, by its Twilio id and by column it is the same row; a script is left out of a set.
        let named = [ids[1], ids[2]];
        let (set, _) = write!(rows.store, |tx| tx.calls_named(&named, &["CA1", "CA2"], &[]).await?);
        assert_eq!(set.len(), 3);
        for is in are {
            let wanted = format!("{:?}", CallRow { updated_at: later, script: None, ..is.clone() });
            assert_eq!(format!("{:?}", set.iter().find(|r| r.id == is.id).unwrap()), wanted);
            let single = rows.store.any_call(is.id).await.unwrap().unwrap();
            assert_eq!(format!("{:?}", CallRow { script: None, ..single }), wanted);
        }
        // Its place in the indexes a call leaves as it ends, not as it moves on.
        let mut db = sqlx::SqliteConnection::connect(dir.path().join("t.db").to_str().unwrap()).await.unwrap();
        let places: Vec<i64> = sqlx::query_scalar("SELECT rank FROM campaign_calls ORDER BY position").fetch_all(&mut db).await.unwrap();
        assert_eq!(places, [90, 10, 5]);
        // Whoever read it before that writes nothing, of the others in the same text neither.
        let [ends, noted] = read;
        let refused = rows
            .store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let late = CallRow { notes: "too late".into(), ..ends.clone() };
                    let other = CallRow { notes: "too late".into(), ..noted.clone() };
                    tx.update_calls(&[CallUpdate { was: &noted, row: &other }, CallUpdate { was: &ends, row: &late }], later).await
                })
            })
            .await;
        assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
        for id in &ids {
            assert_ne!(rows.store.any_call(*id).await.unwrap().unwrap().notes, "too late");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_brought_in_beside_the_writer() {
    let (dir, store) = databases().await.remove(0);
    let rows = Rows::new(store).await;
    let mut db = sqlx::SqliteConnection::connect(dir.path().join("t.db").to_str().unwrap()).await.unwrap();
    // Two to four pages each: more than are let wait, fewer than the writer itself would bring in.
    for i in 0..1_500 {
        let (owner, now) = (rows.owner, rows.now);
        let details = serde_json::json!({ "i": i, "long": "x".repeat(5_000) });
        write!(rows.store, |tx| tx.audit(now, owner, "tester", "test", "test", None, &details).await?);
    }
    for _ in 0..1_000 {
        let (_, pages, done): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(NOOP)").fetch_one(&mut db).await.unwrap();
        if pages - done < 1_500 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nobody brought the log in");
}
