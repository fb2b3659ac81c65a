//! Campaigns, their queues, days and counters, and the calls that somebody asks for one at a time.

use chrono::Duration;
use dialdeck::{
    domain::{
        call::State,
        campaign::{ContactSource, Settings, Status},
        id::{AssistantId, CallId, CampaignId, ContactId, SourceId, TrunkId},
        outcome::Outcome,
        retry::RetryRules,
        schedule::Days,
        stats::{Counts, Pace},
    },
    store::{CampaignEdit, Sums, ZoneHead},
};

use super::{FOREIGN, House, assistant, contacts::contact, ids, sorted};

databases!(
    a_campaign_is_read_as_it_was_made_and_edited,
    campaigns_are_listed_newest_first_by_state,
    a_state_moves_from_the_one_it_is_believed_to_be_in,
    heads_and_queues_of_zones_are_counted,
    rows_are_put_into_other_queues_while_they_wait,
    days_count_dials_and_never_pass_their_cap,
    counters_minutes_and_lines_move_by_differences,
    the_books_of_a_campaign_are_its_calls_alike_ones_together,
    promises_that_a_stop_broke_are_found,
    what_somebody_asks_for_is_taken_once,
);

async fn a_campaign_is_read_as_it_was_made_and_edited(house: House) {
    let h = house.ids;
    let odd = Settings {
        daily_cap: 1_000_000,
        calling_days: Days::WORKDAYS,
        start_hour: 9,
        end_hour: 17,
        start_minute: 30,
        end_minute: 59,
        timezone: "Asia/Kathmandu".parse().unwrap(),
        max_concurrent: 2000,
        call_delay_ms: 3_600_000,
        ring_timeout_s: 60,
        max_call_duration_s: 14_400,
        retry: RetryRules { max_attempts: 10, no_answer_minutes: 1, busy_minutes: 2, trunk_minutes: 3 },
        contact_hours: false,
    };
    let of = odd.clone();
    let id = house.campaign(|c| (c.name, c.prompt, c.agent_name, c.settings) = (FOREIGN.into(), FOREIGN.into(), Some(FOREIGN.into()), of)).await;
    let c = house.store.campaign(h.owner, id).await.unwrap().unwrap();
    assert_eq!((c.id, c.user_id, c.name.as_str(), c.campaign_prompt.as_str(), c.agent_name.as_deref()), (id, h.owner, FOREIGN, FOREIGN, Some(FOREIGN)));
    assert_eq!((c.assistant_id, c.assistant_name.as_str(), c.assistant_prompt.as_str(), c.assistant_language.as_str()), (h.assistant, "Sarah", "Hello", "en"));
    assert_eq!((c.source_id(), c.csv_file_name.as_deref(), c.contact_list_name.as_deref()), (Some(h.file), Some("leads.csv"), None));
    assert_eq!(format!("{:?}", c.settings()), format!("{odd:?}"));
    assert_eq!((c.execution_status, c.status_reason.as_str(), c.status_at, c.generation, c.fill_position, c.manual), (Status::Idle, "", h.now, 1, None, false));
    assert_eq!((c.counts, c.next_call_at, c.last_execution_at, c.created_at, c.updated_at), (Counts::default(), None, None, h.now, h.now));
    assert!(house.store.campaign(h.stranger, id).await.unwrap().is_none() && house.store.campaign(h.owner, CampaignId::fresh()).await.unwrap().is_none());

    let other = AssistantId::fresh();
    let plain = Settings { contact_hours: true, calling_days: Days::ALL, ..house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap().settings() };
    let edit = CampaignEdit { name: "Q5".into(), assistant: other, prompt: String::new(), agent_name: None, settings: plain.clone() };
    tx!(house, |tx| {
        tx.insert_assistant(&assistant(other, h.owner, "Zoe", h.now)).await?;
        tx.update_campaign(id, &edit, h.after(1)).await?;
    });
    let c = tx!(house, |tx| tx.campaign(h.owner, id).await?).unwrap();
    assert_eq!((c.name.as_str(), c.assistant_name.as_str(), c.script(), c.agent_name.as_deref(), c.generation), ("Q5", "Zoe", "Hello", None, 2));
    assert_eq!((format!("{:?}", c.settings()), c.updated_at), (format!("{plain:?}"), h.after(1)));
    assert!(tx!(house, |tx| tx.campaign(h.stranger, id).await?).is_none());
    tx!(house, |tx| tx.delete_campaign(id, h.after(2)).await?);
    assert!(house.store.campaign(h.owner, id).await.unwrap().is_none(), "deleted");
    let standing = tx!(house, |tx| tx.standing(id).await?).unwrap();
    assert_eq!((standing.user_id, standing.name.as_str(), standing.generation, standing.deleted), (h.owner, "Q5", 3, true));
    assert_eq!((standing.execution_status, standing.status_reason.as_str()), (Status::Idle, ""));
    assert!(tx!(house, |tx| tx.standing(CampaignId::fresh()).await?).is_none());
}

async fn campaigns_are_listed_newest_first_by_state(house: House) {
    let h = house.ids;
    let (second, third) = (house.campaign(|_| {}).await, house.campaign(|c| c.source_id = None).await);
    house.start(second).await;
    let list = async |status, limit, offset| {
        let page = house.store.campaigns(h.owner, status, limit, offset).await.unwrap();
        (page.rows.iter().map(|c| c.id).collect::<Vec<_>>(), page.total)
    };
    assert_eq!(list(None, 500, 0).await, (vec![third, second, h.campaign], 3), "made in the same moment, the later id first");
    assert_eq!((list(None, 1, 1).await, list(None, 5, 3).await), ((vec![second], 3), (vec![], 3)));
    assert_eq!((list(Some(Status::Running), 5, 0).await, list(Some(Status::Error), 5, 0).await), ((vec![second], 1), (vec![], 0)));
    let running = house.store.running_campaigns().await.unwrap();
    assert_eq!(running.iter().map(|c| c.id).collect::<Vec<_>>(), [second]);
    let in_state = async |owner, status| tx!(house, |tx| tx.campaigns_in(owner, status).await?.iter().map(|c| c.id).collect::<Vec<_>>());
    assert_eq!(sorted(in_state(h.owner, Status::Idle).await), sorted([h.campaign, third]));
    assert_eq!((in_state(h.owner, Status::Paused).await, in_state(h.stranger, Status::Idle).await), (vec![], vec![]));
    assert_eq!(house.store.owners().await.unwrap(), 1);
    let every = house.store.every_campaign().await.unwrap();
    assert_eq!((every[0], every.len()), ((h.owner, second), 3), "running ones first");
    tx!(house, |tx| {
        for id in [h.campaign, second, third] {
            tx.delete_campaign(id, h.now).await?;
        }
    });
    assert_eq!((house.store.owners().await.unwrap(), list(None, 5, 0).await.1, house.store.running_campaigns().await.unwrap().len()), (0, 0, 0));
    assert_eq!(house.store.every_campaign().await.unwrap().len(), 3, "the deleted ones too");
}

async fn a_state_moves_from_the_one_it_is_believed_to_be_in(house: House) {
    let h = house.ids;
    let go = async |from, to| tx!(house, |tx| tx.move_campaign(h.campaign, from, to, FOREIGN, "Zoë", h.after(1)).await?);
    assert!(!go(Status::Running, Status::Paused).await && go(Status::Idle, Status::Running).await && !go(Status::Idle, Status::Running).await);
    let c = house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap();
    assert_eq!(
        (c.execution_status, c.status_reason.as_str(), c.status_actor.as_str(), c.status_at, c.generation),
        (Status::Running, FOREIGN, "Zoë", h.after(1), 2)
    );
    assert!(!tx!(house, |tx| tx.move_campaign(CampaignId::fresh(), Status::Idle, Status::Running, "", "", h.now).await?));
    tx!(house, |tx| tx.set_fill(h.campaign, Some(500)).await?);
    let c = house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap();
    assert_eq!((c.fill_position, c.generation), (Some(500), 2));
}

async fn heads_and_queues_of_zones_are_counted(house: House) {
    let h = house.ids;
    assert!(house.store.zone_heads(h.campaign).await.unwrap().is_empty() && house.store.queues(h.campaign, h.now).await.unwrap().is_empty());
    let put = async |zones: &'static str, due, priority| house.queue(|c| (c.zones, c.dialable_at, c.priority) = (zones.into(), h.after(due), priority)).await;
    for (zones, due, priority) in [("a;", 5, 0), ("a;", 3, 0), ("a;", 9, 1), ("b;", 7, 0), ("b;", 2, 1), ("c;", 4, 1), ("d;", 1, 2), (FOREIGN, 6, 0)] {
        put(zones, due, priority).await;
    }
    let claimed = put("e;", 0, 0).await;
    house.claim(&claimed).await;
    let mut heads = house.store.zone_heads(h.campaign).await.unwrap();
    heads.sort_by(|a, b| a.zones.cmp(&b.zones));
    let head = |zones: &str, due, promised: Option<i64>| ZoneHead { zones: zones.into(), due: h.after(due), promised: promised.map(|p| h.after(p)) };
    let mut wanted = [head(FOREIGN, 6, None), head("a;", 3, Some(9)), head("b;", 2, Some(2)), head("c;", 4, Some(4))];
    wanted.sort_by(|a, b| a.zones.cmp(&b.zones));
    assert_eq!(heads, wanted);
    let queues = house.store.queues(h.campaign, h.after(5)).await.unwrap();
    let counted = sorted(queues.into_iter().map(|q| (q.zones, q.pending, q.due)));
    assert_eq!(counted, sorted([("a;", 3, 2), ("b;", 2, 1), ("c;", 1, 1), (FOREIGN, 1, 0)].map(|(z, n, d)| (z.to_owned(), n, d))));
    // A queue that an older release keyed without the law of its places.
    put("America/New_York", 1, 0).await;
    assert!(house.store.old_queues().await.unwrap().is_empty(), "its counter says that nothing waits");
    tx!(house, |tx| tx.add_counts(h.campaign, &Counts { pending: 9, ..Counts::default() }).await?);
    assert_eq!(house.store.old_queues().await.unwrap(), [(h.campaign, "America/New_York".to_owned())]);
}

async fn rows_are_put_into_other_queues_while_they_wait(house: House) {
    let h = house.ids;
    let (mut told, plain) = (contact(1, "+12025550101"), contact(2, "+12025550102"));
    told.said = FOREIGN.into();
    let (who, other) = (told.id, plain.id);
    let list = SourceId::fresh();
    tx!(house, |tx| {
        tx.insert_list(list, h.owner, "list", "completed", h.now).await?;
    });
    house.contacts(ContactSource::ContactList, list, vec![told]).await;
    house.contacts(ContactSource::CsvFile, h.file, vec![plain]).await;
    let row = house.queue(|c| (c.zones, c.contact_id) = ("old".into(), Some(who))).await;
    let second = house.queue(|c| (c.zones, c.contact_id) = ("old".into(), Some(other))).await;
    let none = house.queue(|c| (c.zones, c.contact_id) = ("old".into(), None)).await;
    let claimed = house.queue(|c| c.zones = "held".into()).await;
    house.claim(&claimed).await;
    let queued = async |zones: &'static str, limit| {
        let mut rows = tx!(house, |tx| tx.queued(h.campaign, zones, limit).await?);
        rows.sort_by_key(|r| r.id);
        rows
    };
    let rows = queued("old", 500).await;
    assert_eq!(rows.iter().map(|r| r.id).collect::<Vec<_>>(), [row.id, second.id, none.id]);
    assert_eq!((rows[0].said.as_deref(), rows[2].said.as_deref()), (Some(FOREIGN), None));
    assert_eq!((rows[0].phone_number.as_str(), rows[0].country.as_str(), rows[0].zones.as_str()), (row.phone_number.as_str(), "US", "old"));
    assert_eq!((queued("old", 1).await.len(), queued("held", 9).await.len(), queued("none", 9).await.len()), (1, 0, 0));
    let requeue = async |keys: Vec<(CallId, String)>| tx!(house, |tx| tx.requeue(&keys).await?);
    assert_eq!(requeue(vec![]).await, 0);
    assert_eq!(
        requeue(vec![(row.id, FOREIGN.into()), (claimed.id, "new".into()), (CallId::fresh(), "x".into()), (none.id, "new".into())]).await,
        2,
        "those that wait"
    );
    assert_eq!(
        (house.call(row.id).await.zones.as_str(), house.call(claimed.id).await.zones.as_str(), house.call(second.id).await.zones.as_str()),
        (FOREIGN, "held", "old")
    );
    let many: Vec<_> = (0..500).map(|_| house.new_call(|c| c.zones = "many".into())).collect();
    let keys: Vec<_> = many.iter().map(|c| (c.id, "moved".to_owned())).collect();
    tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &many, h.now).await?);
    assert_eq!((requeue(keys).await, queued("moved", 501).await.len()), (500, 500));
}

async fn days_count_dials_and_never_pass_their_cap(house: House) {
    let h = house.ids;
    let today = h.now.date_naive();
    house.dial(|_| {}).await;
    let day = async || house.store.campaign_day(h.campaign, today).await.unwrap().map(|d| (d.used, d.cap));
    assert_eq!(day().await, Some((1, 1000)));
    let word = today.to_string();
    let charge = async |day: &str| {
        let day = day.to_owned();
        tx!(house, |tx| tx.charge_day(h.campaign, &day).await?)
    };
    assert!(!charge(&word).await && !charge("2020-01-01").await, "within its cap; and of a day that there was not");
    let give = async |n| {
        let day = today.to_string();
        tx!(house, |tx| tx.give_back_day(h.campaign, &day, n).await?);
    };
    give(1).await;
    assert_eq!(day().await, Some((1, 1000)));
    give(500).await;
    assert_eq!(day().await, Some((0, 1000)), "never below none");
    let small = house.campaign(|c| c.settings.daily_cap = 1).await;
    let row = house.queue_in(small, |_| {}).await;
    let row = house.claim(&row).await;
    house.arm(&row, |a| a.cap = 1).await;
    assert!(tx!(house, |tx| tx.charge_day(small, &word).await?), "what rang has rung: it passes the cap");
    let past = house.store.campaign_day(small, today).await.unwrap().unwrap();
    assert_eq!((past.used, past.cap), (2, 2));
    let days = house.store.days_since(today).await.unwrap();
    assert_eq!(sorted(days), sorted([(h.campaign, today.to_string(), 0), (small, today.to_string(), 2)]));
    assert!(house.store.days_since(today + Duration::days(1)).await.unwrap().is_empty());
    tx!(house, |tx| tx.remove_days(small).await?);
    assert!(
        house.store.campaign_day(small, today).await.unwrap().is_none() && house.store.campaign_pace(small, (0, i64::MAX / 100), 1).await.unwrap().is_empty()
    );
}

async fn counters_minutes_and_lines_move_by_differences(house: House) {
    let h = house.ids;
    let other = house.campaign(|_| {}).await;
    let all = Counts {
        total: 1,
        pending: 2,
        processing: 3,
        live: 4,
        answered_now: 5,
        completed: 6,
        failed: 7,
        no_answer: 8,
        busy: 9,
        canceled: 10,
        ..Counts::default()
    };
    let all = Counts { dials: 11, pickups: 12, interested: 13, not_interested: 14, callback: 15, do_not_call: 16, voicemail: 17, wrong_number: 18, ..all };
    let all = Counts { untagged: 19, talk_seconds: i64::MAX / 4, ..all };
    let pace = Pace { armed: 1, dials: 2, answered: 3, abandoned: 4, failed: 5, talk_seconds: i64::MAX / 4 };
    let sums = Sums {
        campaigns: [(h.campaign, all), (other, Counts { busy: 1, ..Counts::default() })].into(),
        minutes: [((h.campaign, 10), pace), ((h.campaign, 11), pace), ((other, 10), Pace { armed: 1, ..Pace::default() })].into(),
        trunks: [(h.trunk, 2), (TrunkId::fresh(), 5)].into(),
    };
    let counts = async |id| house.store.campaign(h.owner, id).await.unwrap().unwrap().counts;
    let minutes = async |id, step| {
        let rows = house.store.campaign_pace(id, (0, 100), step).await.unwrap();
        rows.into_iter().map(|r| (r.minute, r.pace)).collect::<Vec<_>>()
    };
    tx!(house, |tx| tx.add_sums(&Sums::default()).await?);
    let again = sums.clone();
    tx!(house, |tx| tx.add_sums(&again).await?);
    assert_eq!((counts(h.campaign).await, counts(other).await), (all, Counts { busy: 1, ..Counts::default() }));
    assert_eq!((minutes(h.campaign, 1).await, house.store.trunks().await.unwrap()[0].live), (vec![(10, pace), (11, pace)], 2));
    tx!(house, |tx| tx.add_sums(&sums).await?);
    assert_eq!(
        (counts(h.campaign).await, minutes(h.campaign, 5).await),
        (
            all * 2,
            vec![(10, {
                let mut p = pace;
                for _ in 0..3 {
                    p += pace;
                }
                p
            })]
        )
    );
    assert_eq!((house.store.trunks().await.unwrap()[0].live, minutes(other, 0).await.len()), (4, 1));
    tx!(house, |tx| {
        tx.add_counts(h.campaign, &(all * -2)).await?;
        tx.add_counts(CampaignId::fresh(), &all).await?;
        tx.add_minutes([((other, 50), pace), ((other, 10), Pace { armed: -2, ..Pace::default() })].into()).await?;
        tx.move_trunk_lines(h.trunk, -1).await?;
    });
    assert_eq!((counts(h.campaign).await, minutes(other, 1).await), (Counts::default(), vec![(10, Pace::default()), (50, pace)]));
    assert_eq!(house.store.trunks().await.unwrap()[0].live, 3);
    let owner = async |id, from, until, step| {
        house.store.owner_pace(id, (from, until), step).await.unwrap().into_iter().map(|r| (r.minute, r.pace.armed)).collect::<Vec<_>>()
    };
    assert_eq!(owner(h.owner, 0, 100, 1).await, [(10, 2), (11, 2), (50, 1)]);
    assert_eq!((owner(h.owner, 11, 50, 7).await, owner(h.stranger, 0, 100, 1).await), (vec![(7, 2)], vec![]));
    let by = house.store.pace_by_campaign(h.owner, (0, 100)).await.unwrap();
    assert_eq!(by.iter().map(|c| (c.campaign_id, c.pace.dials)).collect::<Vec<_>>(), [(h.campaign, 8), (other, 2)], "the busiest first");
    assert_eq!((by[0].campaign_name.as_str(), house.store.pace_by_campaign(h.owner, (60, 70)).await.unwrap().len()), ("Q4", 0));
}

async fn the_books_of_a_campaign_are_its_calls_alike_ones_together(house: House) {
    let h = house.ids;
    let none = house.store.alike_calls(h.campaign).await.unwrap();
    assert_eq!((none.len(), none[0].state, none[0].n, none[0].seconds, none[0].outcome), (1, None, 0, 0, None));
    house.queue(|_| {}).await;
    house.queue(|_| {}).await;
    house.talked(100, |r| r.outcome = Some(Outcome::Callback)).await;
    house.talked(200, |r| r.outcome = Some(Outcome::Callback)).await;
    house.dial(|_| {}).await;
    let alike = house.store.alike_calls(h.campaign).await.unwrap();
    let of = |state| alike.iter().find(|a| a.state == Some(state)).map(|a| (a.armed, a.leg_seen, a.answered, a.outcome, a.n, a.seconds));
    assert_eq!(alike.len(), 3);
    assert_eq!(of(State::Pending), Some((false, false, false, None, 2, 0)));
    assert_eq!(of(State::Completed), Some((true, true, true, Some(Outcome::Callback), 2, 120)));
    assert_eq!(of(State::Armed), Some((true, false, false, None, 1, 0)));
    assert_eq!(alike[0].counts.dials, 3, "beside its counters");
    assert!(house.store.alike_calls(CampaignId::fresh()).await.unwrap().is_empty());
}

async fn promises_that_a_stop_broke_are_found(house: House) {
    let h = house.ids;
    let who = ContactId::fresh();
    // What was promised: somebody asked to be called back.
    let asked = house.dial(|c| c.contact_id = Some(who)).await;
    let asked = house.end(&asked, State::Completed, 50, |r| r.outcome = Some(Outcome::Callback)).await;
    let promised = house.queue(|c| (c.contact_id, c.priority, c.phone_number) = (Some(who), 1, asked.phone_number.clone())).await;
    let nobody = house.queue(|c| c.priority = 1).await;
    let live = house.dial(|c| c.priority = 1).await;
    house.queue(|_| {}).await;
    assert_eq!(tx!(house, |tx| tx.break_promises(h.campaign).await?), 2, "what waits, not what rings");
    let broken = async |limit| tx!(house, |tx| ids(&tx.broken_promises(h.campaign, limit).await?));
    assert_eq!(broken(500).await, [], "not taken off the queue yet");
    assert_eq!(tx!(house, |tx| tx.cancel_pending(h.campaign, "stopped", 500, h.after(60)).await?), 3);
    assert_eq!(broken(500).await, [promised.id], "nobody asked for the other");
    assert_eq!(broken(0).await, []);
    assert_eq!(house.store.rounds(h.owner, h.campaign, 3, "missing").await.unwrap().callback, 1);
    let number = promised.phone_number.clone();
    tx!(house, |tx| tx.add_do_not_call(h.owner, &number, "", "test", "", h.now).await?);
    assert_eq!(broken(500).await, []);
    assert_eq!((house.call(live.id).await.state, house.call(nobody.id).await.state), (State::Armed, State::Canceled));
    assert_eq!(tx!(house, |tx| tx.break_promises(CampaignId::fresh()).await?), 0);
}

async fn what_somebody_asks_for_is_taken_once(house: House) {
    let h = house.ids;
    assert!(house.store.asked_calls().await.unwrap().is_empty());
    assert_eq!(tx!(house, |tx| tx.manual_campaign(h.owner, h.assistant).await?), None);
    let manual = house.campaign(|c| c.source_id = None).await;
    tx!(house, |tx| tx.mark_manual(manual).await?);
    assert_eq!(tx!(house, |tx| tx.manual_campaign(h.owner, h.assistant).await?), Some(manual));
    assert_eq!(tx!(house, |tx| tx.manual_campaign(h.stranger, h.assistant).await?), None);
    assert!(house.store.campaign(h.owner, manual).await.unwrap().unwrap().manual);
    let row = house.queue_in(manual, |c| c.priority = 2).await;
    let other = house.queue(|c| c.priority = 2).await;
    let wish = async |id, script: Option<&'static str>, key: Option<&'static str>| tx!(house, |tx| tx.put_wishes(id, "+15550009999", script, key).await?);
    assert!(wish(row.id, Some(FOREIGN), Some(FOREIGN)).await && wish(other.id, None, None).await && !wish(CallId::fresh(), None, None).await);
    let is = house.call(row.id).await;
    assert_eq!((is.caller_id.as_deref(), is.script.as_deref()), (Some("+15550009999"), Some(FOREIGN)));
    let key = async |owner, key: &'static str, since| tx!(house, |tx| tx.call_of_key(owner, key, h.after(since)).await?);
    assert_eq!((key(h.owner, FOREIGN, -1).await, key(h.owner, FOREIGN, 0).await), (Some(row.id), None), "since then");
    assert_eq!((key(h.stranger, FOREIGN, -1).await, key(h.owner, "", -1).await), (None, None));
    assert_eq!(sorted(ids(&house.store.asked_calls().await.unwrap())), sorted([row.id, other.id]));
    let unarmed = async |campaign| sorted(tx!(house, |tx| ids(&tx.asked_unarmed(campaign).await?)));
    assert_eq!((unarmed(None).await, unarmed(Some(manual)).await), (sorted([row.id, other.id]), vec![row.id]));
    let claim = async |id| tx!(house, |tx| tx.claim_asked(id, h.mine, Duration::seconds(30), h.after(1)).await?);
    let got = claim(row.id).await.unwrap();
    assert_eq!((got.state, got.claim_number, got.incarnation, got.lease_until), (State::Claimed, 1, Some(h.mine), Some(h.after(31))));
    assert_eq!(format!("{got:?}"), format!("{:?}", house.call(row.id).await));
    assert!(claim(row.id).await.is_none(), "taken once");
    assert!(!wish(row.id, None, None).await, "what is claimed does not change under its engine");
    let usual = house.queue(|_| {}).await;
    assert!(claim(usual.id).await.is_none(), "a campaign's");
    assert_eq!(ids(&house.store.asked_calls().await.unwrap()), [other.id]);
    assert_eq!(unarmed(Some(manual)).await, [row.id], "claimed is not armed");
    house.arm(&got, |_| {}).await;
    assert_eq!(unarmed(Some(manual)).await, []);
}
